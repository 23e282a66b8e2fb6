"""Words that mean "no value here", in several languages."""

from __future__ import annotations

import re

_EDGES = " .:;!*()[]{}<>«»\"'`"


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for line in text.splitlines() for word in line.split("|") if word.strip())


#: Never an outcome: missing in the target column too.
_CERTAIN = _words(
    """
    ..|...|…|....|---|----|_|__|___|(-)|()|[]|{}|''|""|*|**|***|:|::|;|/|//|\\|~|!|?|??|???|·|•|―|‐|ー
    n.a|n. a|n/a|n\\a|na|n.d|nd|n/d|n.k|n.r|n/r|n.v|n/v|n.c|n.s|nan|null|nul|none|nil
    #n/a|#n/a!|#na|#div/0|#value|#ref|#name|#num|#null|div/0|inf/nan|not a number
    0000-00-00|0000-00-00 00:00:00|00/00/0000|00.00.0000
    missing value|missing data|no data|no value|no values|no information|no info|no record|no answer
    not available|not applicable|not appl|not known|not reported|not specified|not stated|not given|not provided
    not recorded|not measured|not disclosed|not determined|not collected|not entered|not found|not assigned|not set
    not rated|not yet rated|unrated|no rating|no ratings|not ranked|unranked|not scored|no score|not calculated
    data not available|value not available|unavailable|undefined|unspecified|undisclosed|undetermined|unreported
    inapplicable|does not apply|tbd|tba|tbc|to be determined|to be announced|to be confirmed|withheld|suppressed
    redacted|confidential|insufficient data|too few to report|did not report|no response
    k.a|k. a|keine angabe|keine angaben|ohne angabe|o.a|o. a|k.w|keine daten|kein wert|keine werte
    nicht verfügbar|nicht vorhanden|nicht bekannt|nicht bewertet|nicht zutreffend|nicht anwendbar|nicht gemessen
    nicht erhoben|entfällt|wert fehlt
    non renseigné|non renseignée|non disponible|non communiqué|non applicable|non connu|pas de données|sans objet
    s.o|indisponible|donnée manquante|aucune donnée|non noté
    sin dato|sin datos|s/d|sd|no disponible|no aplica|no procede|no informado|no especificado
    sin información|sin valor|ns/nc
    sem dados|sem informação|sem valor|não disponível|não informado|não informada|não se aplica|não aplicável
    ignorado|nao informado|nao disponivel
    dato mancante|dati mancanti|non disponibile|non applicabile|non rilevato|non pervenuto
    nessun dato|n.p
    niet beschikbaar|niet van toepassing|nvt|n.v.t|geen gegevens|geen waarde|geen data|ontbreekt
    brak|brak danych|b.d|bd|nie dotyczy|niedostępne
    není k dispozici|neuvedeno|chybí|nezjištěno|nincs adat|lipsă
    saknas|uppgift saknas|ej tillgänglig|ingen uppgift|mangler|ikke tilgjengelig|ingen data
    ei tietoa|puuttuu|ei saatavilla|veri yok|belirtilmemiş|mevcut değil
    нет данных|не указано|не указан|не определено|н/д|н.д|немає даних
    δεν υπάρχει|غير متوفر|غير معروف|לא ידוע|tidak ada|tidak ada data|tidak diketahui|không có
    不明|該当なし|未定|欠損|未入力|データなし|未回答|暂无|不详|不詳|缺失|未填|没有|无数据|暂无数据|不适用
    없음|미상|해당없음|해당 없음|자료없음|알수없음|미정
    """
)

#: Missing among numbers, but perhaps an outcome among words.
_LIKELY = _words(
    """
    void|empty|blank|missing|refused|error|err|fehlt|fehlend|leer|unbekannt|manquant|manquante|vide|inconnu|inconnue
    vacío|ninguno|ninguna|desconocido|desconocida|vazio|ausente|desconhecido|desconhecida|sconosciuto|sconosciuta
    mancante|assente|vuoto|onbekend|leeg|puste|ismeretlen|hiányzik|necunoscut|okänd|okänt|ukjent|ukendt|tuntematon
    bilinmiyor|yok|нет|неизвестно|отсутствует|невідомо|άγνωστο|未知|无|無|なし|無し|nieznany|nieznana|neznámé|neznámý
    x|xx|xxx
    unknown|unk|unkn|unkown|unknow|pending|invalid|tr|trace|traces|fehler|ungültig|erreur|invalide|inválido|errore
    below detection limit|bdl|bql|<lod|<loq|lod|loq|nq|out of range|overflow|overrange|sensor error|ошибка|エラー
    错误|오류
    """
)

#: Missing among numbers, but perhaps a code in a column of codes.
_AMONG_NUMBERS = _words(
    """
    other|others|any|never|no|non|nein|kein|keine|keiner|niet|geen|ei|ingen|inga|aucun|aucune|new|open|ongoing|varies
    variable|various|varies with device|dns|dnf|dsq|dnq|did not start|did not finish|disqualified|absent|excluded
    cancelled|canceled|closed|failed|failure|fail|default|on request|price on request|call for price|ask|auf anfrage|vb
    sold|free agent|not sold|off|offline
    """
)

_PHRASE = re.compile(
    r"(?:not|no|non|nicht|keine?r?|ohne|pas|sans|aucune?|sin|sem|não|nao|senza|nessun[oa]?|geen|niet|brak|ej|ingen|ikke"
    r"|нет|не|без|nie|ei|un(?:known|defined|specified|available)|data|value)\b[\s_-]+\S.{0,40}"
)


def means_no_value(text: str, *, among_codes: bool = False) -> bool:
    """Return whether a string among numbers, dates or codes means a missing value.

    Examples
    --------
    >>> [means_no_value(text) for text in ("..", "Not rated", "k. A.", "XL", "2A")]
    [True, True, True, False, False]
    """
    if (
        text[:1].isdecimal() or text[1:2].isdecimal()
    ):  # the usual case; only dates of zeros begin with a digit
        return text in _CERTAIN
    plain = _plain(text)
    if text.strip().casefold() in _CERTAIN or plain in _CERTAIN or plain in _LIKELY:
        return True
    if not among_codes and plain in _AMONG_NUMBERS:
        return True
    return _PHRASE.fullmatch(plain) is not None


def is_never_a_value(text: str) -> bool:
    """Return whether a string means a missing value even among words.

    Examples
    --------
    >>> [is_never_a_value(text) for text in ("Not available", "unknown", "no")]
    [True, False, False]
    """
    folded = text.strip().casefold()
    return folded in _CERTAIN or _plain(text) in _CERTAIN


def _plain(text: str) -> str:
    """Return a string in lower case, without surrounding punctuation and with blanks for
    underscores.
    """
    folded = " ".join(text.casefold().replace("_", " ").replace("-", " ").split())
    return folded.strip(_EDGES)
