// Call a bundle's pipeline.onnx from Node.js.
//
//   npm install onnxruntime-node
//   node predict.mjs bundles/churn/pipeline.onnx '{"tenure": 3, "plan": "monthly"}'
//
// Numbers, booleans (1 or 0) and date-times (seconds since 1970 UTC) are numbers, categories and texts are strings;
// null, or a column that is left out, is a missing value.
import { createRequire } from "node:module";

const ort = createRequire(import.meta.url)("onnxruntime-node");
const [path, text] = process.argv.slice(2);
const row = JSON.parse(text);

const session = await ort.InferenceSession.create(path);
const feeds = {};
for (const { name, type } of session.inputMetadata) {
  const value = row[name] ?? null;
  feeds[name] =
    type === "string"
      ? new ort.Tensor("string", [value === null ? "" : String(value)], [1, 1])
      : new ort.Tensor("float64", [value === null ? NaN : Number(value)], [1, 1]);
}
const answer = await session.run(feeds);
const out = {};
for (const name of session.outputNames) out[name] = Array.from(answer[name].data, (each) => (typeof each === "bigint" ? Number(each) : each));
console.log(JSON.stringify(out));
