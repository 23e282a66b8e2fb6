"""The most common letters by language, used to distinguish two-byte encodings."""

from __future__ import annotations

_JAPANESE = frozenset([*map(chr, range(0x3041, 0x3097)), *map(chr, range(0x30A1, 0x30FD))]) | frozenset(
    "日付月火水木金土年時分人口名前番号価格商品売上数量合計店舗県市区町村都道府東京大阪気温天候晴雨曇"
    "雪平均最高低種類地域性別男女齢住所電話備考円個件率回会社部課長新古中小本国語北南西駅線車料税込注"
    "文顧客状態不良可否有無面積"
)
_SIMPLIFIED = frozenset(
    "的一是不了在人有我他这中大来上个国和地到说们为子时道出而于就下得可你年生自会那后能对着事其里所去"
    "行过家十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从"
    "名称号码编性别城市区省县口积价格产品类型数量金额销售总计期间月备注状态客户订单姓电话手机率比级工"
    "程位收入支高低长度重温气雨晴云否"
)
_TRADITIONAL = frozenset(
    "的一是不在有了人這個上大國我以要他來用們生到作地於出就分對成會可主發學日期城市口面積類別名稱價格"
    "數量金額銷售產品備註年月時間臺灣北中南東高雄新竹區縣鄉鎮路號電話姓性男女齡職業收入等級單位總計平"
    "均氣溫天晴陰雨多雲"
)
_KOREAN = frozenset(
    "이다는을가에하의고지사도기로리어자인한대시정아나서부수일여보전그장상들해주국구동중면적은를과와있"
    "게제성화용원조경관공산신안유비스라만내문미연진위생선방마무소계물발개명합등영업남북군읍년월간급분"
    "단행교육금액번호식당점본품격날씨값매출총"
)

#: By codec.
USUAL_LETTERS = {
    "cp932": _JAPANESE,
    "euc_jp": _JAPANESE,
    "gb18030": _SIMPLIFIED,
    "cp950": _TRADITIONAL,
    "cp949": _KOREAN,
}
