"""Spellings of units, multipliers and currencies, and conversion factors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: Multipliers in lower case, by the languages in which they occur together.
MULTIPLIER_GROUPS: tuple[Mapping[str, float], ...] = (
    {"k": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12, "tn": 1e12, "trn": 1e12,
     "thousand": 1e3, "thousands": 1e3, "million": 1e6, "millions": 1e6, "billion": 1e9, "billions": 1e9,
     "trillion": 1e12, "trillions": 1e12},
    {"tsd": 1e3, "tausend": 1e3, "mio": 1e6, "million": 1e6, "millionen": 1e6, "mrd": 1e9, "milliarde": 1e9,
     "milliarden": 1e9, "billionen": 1e12},
    {"lakh": 1e5, "lakhs": 1e5, "lac": 1e5, "lacs": 1e5, "cr": 1e7, "crore": 1e7, "crores": 1e7},
    {"mille": 1e3, "million": 1e6, "millions": 1e6, "milliard": 1e9, "milliards": 1e9},
    {"millón": 1e6, "millon": 1e6, "millones": 1e6, "milhão": 1e6, "milhões": 1e6, "milhoes": 1e6, "bilhão": 1e9,
     "bilhões": 1e9},
    {"mila": 1e3, "milione": 1e6, "milioni": 1e6, "miliardi": 1e9, "miliardo": 1e9},
    {"duizend": 1e3, "miljoen": 1e6, "miljard": 1e9, "tusen": 1e3, "miljon": 1e6, "miljoner": 1e6, "miljarder": 1e9},
    {"tys": 1e3, "milion": 1e6, "milionów": 1e6, "mld": 1e9, "тыс": 1e3, "млн": 1e6, "млрд": 1e9, "milyon": 1e6,
     "milyar": 1e9},
    {"千": 1e3, "万": 1e4, "萬": 1e4, "百万": 1e6, "亿": 1e8, "億": 1e8, "兆": 1e12, "천": 1e3, "만": 1e4, "억": 1e8,
     "조": 1e12},
)  # fmt: skip
MULTIPLIERS: dict[str, float] = {
    word: factor for group in MULTIPLIER_GROUPS for word, factor in group.items()
}

_CURRENCIES = """
€ EUR Euro Euros|$ USD US$ U$S dollar dollars Dollar Dollars|£ GBP|¥ ￥ JPY 円|CNY RMB 元|₹ INR Rs Rs. rs rs.
C$ CA$ CAD|A$ AU$ AUD|NZ$ NZD|S$ SGD|HK$ HKD|NT$ TWD|R$ BRL|MX$ MXN|CHF Fr. Fr SFr. SFr|SEK|NOK|DKK|kr kr.|PLN zł
CZK Kč|HUF Ft|₽ RUB руб руб. р.|₴ UAH|₩ KRW 원|₪ ILS NIS|₺ TRY|฿ THB|₫ VND đ|₱ PHP|₦ NGN|₡ CRC|₸ KZT|₵ GHS
RON lei|BGN лв|ZAR|IDR Rp Rp.|MYR RM|AED|SAR|QAR|KWD|EGP|PKR|BDT ৳ Tk|LKR|KES KSh|CLP|COP|ARS AR$|PEN S/ S/.|₿ BTC
"""
#: Every spelling of a currency, and its synonyms.
CURRENCIES: dict[str, tuple[str, ...]] = {
    spelling: tuple(group.split())
    for group in _CURRENCIES.replace("\n", "|").split("|")
    if group.strip()
    for spelling in group.split()
}

#: Marks of a bound, an estimate or a footnote; the number itself is read.
DECORATIONS = frozenset(["+", "<", ">", "<=", ">=", "≤", "≥", "~", "≈", "ca", "ca.", "c.", "approx", "approx.", "about",
                         "*", "**", "†", "‡"])  # fmt: skip


_TABLE = r"""
[share]
1: %, ％, pct, pct., percent, per cent, Prozent, v.H., por ciento, pour cent
0.1: ‰, permille, Promille
0.01: bp, bps, basis points
[mass]
1e-06: mg, milligram, milligrams
1e-09: µg, μg, mcg
0.001: g, gr, gm, gms, gram, grams, Gramm, gramme, grammes, G
1: kg, kgs, Kg, Kgs, KG, KGS, kilo, kilos, kilogram, kilograms, Kilogramm, кг, 公斤, 千克
1000: t, to, tonne, tonnes, Tonnen
0.45359237: lb, lbs, Lb, Lbs, LB, LBS, pound, pounds, lb., lbs.
0.028349523125: oz, OZ, Oz, ounce, ounces
100: quintal, quintals, dt
6.35029318: stone
[length]
1e-09: nm
1e-06: µm, μm
0.001: mm, MM
0.01: cm, CM, Cm
0.1: dm
1: m, mtr, mtrs, meter, meters, metre, metres, Meter, mètres, metros
1000: km, Km, KM, kms, Kms, KMS, kilometer, kilometers, kilometre, kilometres, Kilometer, км
0.0254: in, in., inch, inches, Zoll, ", ”, "in
0.3048: ft, ft., foot, feet, '
0.9144: yd, yds, yard, yards
1609.344: mi, mi., mile, miles, Miles
1852: nmi, NM
[area]
1e-06: mm², mm2
0.0001: cm², cm2
1: m², m2, m^2, qm, sqm, sq m, sq. m, sq.m, sq. m., sq mtrs, sq. meter, Sq. Meter, м², ㎡, 平米, 평방미터
10000: ha, hectare, hectares, Hektar
1000000: km², km2, km^2, sq km, sq. km
4046.8564224: acre, acres, ac
0.09290304: sqft, sq ft, sq. ft, sq. ft., sq.ft., sq.ft, Sq. Ft., ft², ft2, SqFt, sf
0.83612736: sq yd, sq. yards, Sq. Yards
2589988.110336: sq mi, sq. mi
100: Ar, are
[volume]
0.001: ml, mL, ML, cc, CC, Cc, ccm, cm³, cm3
0.01: cl, cL
0.1: dl, dL
1: l, L, ltr, ltrs, Ltr, lt, liter, liters, litre, litres, Liter, л
100: hl, hL
1000: m³, m3, m^3, cbm, cu m
3.785411784: gal, gallon, gallons
0.0295735295625: fl oz, fl. oz.
28.316846592: cu ft, ft³, ft3, cuft
158.987294928: bbl, bbls, barrels
[time]
1e-09: ns, nsec
1e-06: µs, μs, us, usec
0.001: ms, msec, msecs, milliseconds
1: s, sec, secs, Sek, Sek., second, seconds, Sekunden, сек, 秒, 초
60: m, min, mins, min., Min, Min., minute, minutes, Minuten, minutos, мин, 分, 분
3600: h, hr, hrs, hr., hrs., H, hour, hours, Std, Std., Stunde, Stunden, heures, horas, ore, час, ч, 時間, 小时, 시간
86400: d, day, days, Tag, Tage, Tagen, jour, jours, día, días, dia, dias, giorni, dagen, дн, дней, 日, 天, 일
604800: w, wk, wks, week, weeks, Woche, Wochen, semaines, semanas
2629800: mo, mos, mth, mths, month, months, Monat, Monate, mois, meses, mesi, мес
31557600: y, yr, yrs, yr., yrs., year, years, years old, yo, Jahr, Jahre, ans, an, años, anos, anni, лет, год, 歳,
    年, 岁
[data]
1: B, bytes, byte, Bytes
1000: kB, KB, kb, Kb
1000000: MB, Mb, mb
1000000000: GB, Gb, gb
1000000000000: TB, tb
1024: KiB
1048576: MiB
1073741824: GiB
1099511627776: TiB
[data rate]
1: bit/s, bps, bit
1000: kbps, kbit/s, Kbps
1000000: Mbps, mbps, Mbit/s, Mb/s
1000000000: Gbps, Gbit/s
[speed]
1: km/h, kmh, kph, KPH, kmph, kmh-1, km/hr
1.609344: mph, MPH
3.6: m/s, mps
1.852: kn, kt, kts, knots
[power]
0.001: mW
1: W, watt, watts, Watt
1000: kW, KW, kw
1000000: MW
1000000000: GW
745.69987158227: hp, HP, bhp, Bhp, BHP
735.49875: PS, ps, cv, CV
[energy]
1: J, joule, joules
1000: kJ, KJ
1000000: MJ
3600: Wh
3600000: kWh, KWh, kwh, KWH
3600000000: MWh
3600000000000: GWh
4.184: cal
4184: kcal, Kcal, Cal, calories
1055.05585262: BTU, Btu
[pressure]
1: Pa
100: hPa, mbar, mb
1000: kPa
1000000: MPa
100000: bar
6894.757293168: psi, PSI
133.322387415: mmHg, mm Hg, Torr
101325: atm
3386.389: inHg
[voltage]
0.001: mV
1: V, volt, volts, Volt
1000: kV, KV
[current]
0.001: mA
1: A, amp, amps, Ampere
1000: kA
[charge]
0.001: mAh, mah, MAH, MAh
1: Ah
[resistance]
1: Ω, Ohm, ohm, ohms
1000: kΩ, kOhm
1000000: MΩ, MOhm
[frequency]
1: Hz, hz, HZ
1000: kHz, KHz, KHZ
1000000: MHz, Mhz, MHZ, mhz
1000000000: GHz, Ghz, GHZ, ghz
[torque]
1: Nm, NM
9.80665: kgm, kg-m, mkg
1.3558179483: lb-ft, ft-lb, lbft, lb ft
[fuel use]
1: kmpl, km/l, kmpl., KMPL, km/L
0.425143707: mpg, MPG
[fuel per distance]
1: l/100km, l/100 km, L/100km, L/100 km
[gas use]
1: km/kg
[rotation]
1: rpm, RPM, U/min, 1/min
[celsius]
1: °C, ° C, ℃, degC, deg C, ºC, celsius, Grad
[fahrenheit]
1: °F, ° F, ℉, degF, deg F, ºF, fahrenheit
[kelvin]
1: K, kelvin
[angle]
1: °, deg, degrees
57.2957795130823: rad
[loudness]
1: dB, db, dBA, dB(A)
[concentration]
1: mg/l, mg/L
1000: g/l, g/L
0.001: µg/l, µg/L, μg/L, ug/L, ug/l, ng/ml, ng/mL
10: mg/dl, mg/dL
10000: g/dl, g/dL
[air concentration]
1: µg/m³, µg/m3, μg/m³, ug/m3
1000: mg/m³, mg/m3
[amount]
1: mmol/l, mmol/L
0.001: µmol/l, µmol/L, umol/L
1000: mol/l, mol/L
[fraction]
1: ppm
0.001: ppb
[picture]
1: px, pixel, pixels
1000000: MP, Mpx, megapixel, megapixels
[count]
1: pcs, pc, pcs., piece, pieces, Stück, Stk, Stk., St., unit, units, Stücke, 個, 个, 개
12: dozen, doz, Dutzend
"""


def _families(table: str) -> dict[str, dict[str, float]]:
    """Parse families of units: a name in brackets, then a line (with indented continuations) for
    each size.
    """
    families: dict[str, dict[str, float]] = {}
    for line in table.replace("\n    ", " ").splitlines():
        if line.startswith("["):
            units = families.setdefault(line.strip("[]"), {})
        elif line:
            factor, spellings = line.split(": ", 1)
            units |= {spelling.strip(): float(factor) for spelling in spellings.split(", ")}
    return families


#: Units that can be converted into each other: spelling to factor over a common unit.
#: Case-sensitive.
FAMILIES: dict[str, dict[str, float]] = _families(_TABLE)


def families_of(spelling: str) -> Iterable[str]:
    """Return the families that have a unit of this spelling, as written or in lower case.

    Examples
    --------
    >>> list(families_of("m")), list(families_of("Kg"))
    (['length', 'time'], ['mass'])
    """
    return (name for name in FAMILIES if unit_factor(name, spelling) is not None)


def unit_factor(family: str, spelling: str) -> float | None:
    """Return the factor of a unit over the common unit of a family; None if the family does not
    have it.
    """
    units = FAMILIES[family]
    for text in (spelling, spelling.rstrip("."), spelling.lower(), spelling.lower().rstrip(".")):
        if text in units:
            return units[text]
    return None
