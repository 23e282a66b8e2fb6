// Call a bundle's pipeline.onnx from C++, with ONNX Runtime's C API.
//
//   g++ -std=c++17 predict.cpp -I onnxruntime/include -L onnxruntime/lib -lonnxruntime -o predict
//   ./predict bundles/churn/pipeline.onnx tenure=3 plan=monthly
//
// Numbers, booleans (1 or 0) and date-times (seconds since 1970 UTC) are numbers, categories and texts are strings;
// a column that is left out is a missing value.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "onnxruntime_c_api.h"

static const OrtApi *api;

static void check(OrtStatus *status) {
  if (status == nullptr) return;
  std::fprintf(stderr, "%s\n", api->GetErrorMessage(status));
  std::exit(1);
}

static ONNXTensorElementDataType kind_of(const OrtValue *value) {
  OrtTensorTypeAndShapeInfo *info;
  ONNXTensorElementDataType kind;
  check(api->GetTensorTypeAndShape(value, &info));
  check(api->GetTensorElementType(info, &kind));
  return kind;
}

static void print(const char *name, OrtValue *value) {
  OrtTensorTypeAndShapeInfo *info;
  size_t count;
  check(api->GetTensorTypeAndShape(value, &info));
  check(api->GetTensorShapeElementCount(info, &count));
  std::printf("%s:", name);
  if (kind_of(value) == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    size_t length;
    check(api->GetStringTensorDataLength(value, &length));
    std::string text(length, '\0');
    std::vector<size_t> offsets(count);
    check(api->GetStringTensorContent(value, text.data(), length, offsets.data(), count));
    std::printf(" %s", text.c_str());
  } else {
    void *data;
    check(api->GetTensorMutableData(value, &data));
    for (size_t i = 0; i < count; i++) {
      switch (kind_of(value)) {
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: std::printf(" %.9g", static_cast<float *>(data)[i]); break;
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE: std::printf(" %.17g", static_cast<double *>(data)[i]); break;
        case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL: std::printf(" %s", static_cast<bool *>(data)[i] ? "true" : "false"); break;
        default: std::printf(" %lld", static_cast<long long *>(data)[i]);
      }
    }
  }
  std::printf("\n");
}

int main(int argc, char **argv) {
  std::map<std::string, std::string> row;
  for (int i = 2; i < argc; i++) {
    const std::string pair = argv[i];
    const size_t cut = pair.find('=');
    row[pair.substr(0, cut)] = pair.substr(cut + 1);
  }

  api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  OrtEnv *env;
  OrtSessionOptions *options;
  OrtSession *session;
  OrtAllocator *allocator;
  OrtMemoryInfo *memory;
  check(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "predict", &env));
  check(api->CreateSessionOptions(&options));
  check(api->CreateSession(env, argv[1], options, &session));
  check(api->GetAllocatorWithDefaultOptions(&allocator));
  check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));

  size_t inputs, outputs;
  check(api->SessionGetInputCount(session, &inputs));
  check(api->SessionGetOutputCount(session, &outputs));
  std::vector<char *> input_names(inputs), output_names(outputs);
  std::vector<OrtValue *> values(inputs), answers(outputs, nullptr);
  std::vector<double> numbers(inputs);
  const int64_t shape[] = {1, 1};
  for (size_t i = 0; i < inputs; i++) {
    OrtTypeInfo *type;
    const OrtTensorTypeAndShapeInfo *info;
    ONNXTensorElementDataType kind;
    check(api->SessionGetInputName(session, i, allocator, &input_names[i]));
    check(api->SessionGetInputTypeInfo(session, i, &type));
    check(api->CastTypeInfoToTensorInfo(type, &info));
    check(api->GetTensorElementType(info, &kind));
    const auto found = row.find(input_names[i]);
    if (kind == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      const char *text = found == row.end() ? "" : found->second.c_str();
      check(api->CreateTensorAsOrtValue(allocator, shape, 2, kind, &values[i]));
      check(api->FillStringTensor(values[i], &text, 1));
    } else {
      numbers[i] = found == row.end() ? std::nan("") : std::strtod(found->second.c_str(), nullptr);
      check(api->CreateTensorWithDataAsOrtValue(memory, &numbers[i], sizeof(double), shape, 2, kind, &values[i]));
    }
  }
  for (size_t i = 0; i < outputs; i++) check(api->SessionGetOutputName(session, i, allocator, &output_names[i]));
  check(api->Run(session, nullptr, input_names.data(), values.data(), inputs, output_names.data(), outputs, answers.data()));
  for (size_t i = 0; i < outputs; i++) print(output_names[i], answers[i]);
}
