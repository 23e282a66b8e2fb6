"""Names of months, weekdays and other words in dates, in several languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Language: twelve months, each with its spellings; then words without a meaning for the date.
_LANGUAGES: dict[str, tuple[str, str]] = {
    "English": (
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|october oct"
        "|november nov|december dec",
        "monday mon tuesday tue tues wednesday wed thursday thu thur thurs friday fri saturday sat sunday sun"
        " of the at",
    ),
    "German": (
        "januar jänner jan jän|februar feber feb|märz maerz mär mrz|april apr|mai|juni jun|juli jul|august aug"
        "|september sept sep|oktober okt|november nov|dezember dez",
        "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sonnabend sa sonntag so den der um uhr",
    ),
    "French": (
        "janvier janv jan|février fevrier févr fevr fév|mars mar|avril avr|mai|juin jui|juillet juil|août aout aoû"
        "|septembre sept sep|octobre oct|novembre nov|décembre decembre déc dec",
        "lundi lun mardi mer mercredi jeudi jeu vendredi ven samedi sam dimanche dim le à",
    ),
    "Spanish": (
        "enero ene|febrero feb|marzo mar|abril abr|mayo may|junio jun|julio jul|agosto ago"
        "|septiembre setiembre sept sep set|octubre oct|noviembre nov|diciembre dic",
        "lunes lun martes miércoles mié jueves jue viernes vie sábado sáb domingo dom de del el a las",
    ),
    "Portuguese": (
        "janeiro jan|fevereiro fev|março marco mar|abril abr|maio mai|junho jun|julho jul|agosto ago"
        "|setembro set|outubro out|novembro nov|dezembro dez",
        "segunda-feira segunda terça-feira terça quarta-feira quarta quinta-feira quinta sexta-feira sexta sábado"
        " domingo feira seg ter qua qui sex sáb dom de às",
    ),
    "Italian": (
        "gennaio gen|febbraio feb|marzo mar|aprile apr|maggio mag|giugno giu|luglio lug|agosto ago|settembre set sett"
        "|ottobre ott|novembre nov|dicembre dic",
        "lunedì lun martedì mercoledì giovedì gio venerdì ven sabato sab domenica dom il alle ore",
    ),
    "Dutch": (
        "januari jan|februari feb|maart mrt|april apr|mei|juni jun|juli jul|augustus aug|september sept sep"
        "|oktober okt|november nov|december dec",
        "maandag ma dinsdag di woensdag wo donderdag do vrijdag vr zaterdag za zondag zo om uur",
    ),
    "Polish": (
        "stycznia styczeń sty|lutego luty lut|marca marzec mar|kwietnia kwiecień kwi|maja maj|czerwca czerwiec cze"
        "|lipca lipiec lip|sierpnia sierpień sie|września wrzesień wrz|października październik paź"
        "|listopada listopad lis|grudnia grudzień gru",
        "poniedziałek wtorek środa czwartek piątek sobota niedziela r roku",
    ),
    "Russian": (
        "января январь янв|февраля февраль фев|марта март мар|апреля апрель апр|мая май|июня июнь июн|июля июль июл"
        "|августа август авг|сентября сентябрь сен сент|октября октябрь окт|ноября ноябрь ноя|декабря декабрь дек",
        "понедельник вторник среда четверг пятница суббота воскресенье г года",
    ),
    "Swedish": (
        "januari jan|februari feb|mars mar|april apr|maj|juni jun|juli jul|augusti aug|september sept sep"
        "|oktober okt|november nov|december dec",
        "måndag tisdag onsdag torsdag fredag lördag söndag den kl",
    ),
    "Danish and Norwegian": (
        "januar jan|februar feb|marts mars mar|april apr|maj mai|juni jun|juli jul|august aug|september sept sep"
        "|oktober okt|november nov|december desember dec des",
        "mandag tirsdag onsdag torsdag fredag lørdag søndag den kl",
    ),
    "Finnish": (
        "tammikuuta tammikuu|helmikuuta helmikuu|maaliskuuta maaliskuu|huhtikuuta huhtikuu|toukokuuta toukokuu"
        "|kesäkuuta kesäkuu|heinäkuuta heinäkuu|elokuuta elokuu|syyskuuta syyskuu|lokakuuta lokakuu"
        "|marraskuuta marraskuu|joulukuuta joulukuu",
        "maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai klo",
    ),
    "Czech": (
        "ledna leden|února únor|března březen|dubna duben|května květen|června červen|července červenec|srpna srpen"
        "|září|října říjen|listopadu listopad|prosince prosinec",
        "pondělí úterý středa čtvrtek pátek sobota neděle",
    ),
    "Turkish": (
        "ocak oca|şubat şub|mart mar|nisan nis|mayıs may|haziran haz|temmuz tem|ağustos ağu|eylül eyl|ekim eki"
        "|kasım kas|aralık ara",
        "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
    ),
    "Romanian": (
        "ianuarie ian|februarie feb|martie mar|aprilie apr|mai|iunie iun|iulie iul|august aug|septembrie sept sep"
        "|octombrie oct|noiembrie nov|decembrie dec",
        "luni marți miercuri joi vineri sâmbătă duminică",
    ),
    "Hungarian": (
        "január jan|február feb febr|március márc|április ápr|május máj|június jún|július júl|augusztus aug"
        "|szeptember szept|október okt|november nov|december dec",
        "hétfő kedd szerda csütörtök péntek szombat vasárnap",
    ),
    "Greek": (
        "ιανουαρίου ιανουάριος ιαν|φεβρουαρίου φεβρουάριος φεβ|μαρτίου μάρτιος μαρ|απριλίου απρίλιος απρ"
        "|μαΐου μάιος μαΐ"
        "|ιουνίου ιούνιος ιουν|ιουλίου ιούλιος ιουλ|αυγούστου αύγουστος αυγ|σεπτεμβρίου σεπτέμβριος σεπ"
        "|οκτωβρίου οκτώβριος οκτ|νοεμβρίου νοέμβριος νοε|δεκεμβρίου δεκέμβριος δεκ",
        "δευτέρα τρίτη τετάρτη πέμπτη παρασκευή σάββατο κυριακή",
    ),
    "Ukrainian": (
        "січня січень січ|лютого лютий лют|березня березень бер|квітня квітень кві|травня травень тра"
        "|червня червень чер|липня липень лип|серпня серпень сер|вересня вересень вер|жовтня жовтень жов"
        "|листопада листопад лис|грудня грудень гру",
        "понеділок вівторок середа четвер пʼятниця субота неділя р року",
    ),
    "Croatian": (
        "siječnja siječanj sij|veljače veljača velj|ožujka ožujak ožu|travnja travanj tra|svibnja svibanj svi"
        "|lipnja lipanj lip|srpnja srpanj srp|kolovoza kolovoz kol|rujna rujan ruj|listopada listopad lis"
        "|studenoga studeni stu|prosinca prosinac pro",
        "ponedjeljak utorak srijeda četvrtak petak subota nedjelja",
    ),
    "Indonesian": (
        "januari jan|februari feb|maret mar|april apr|mei|juni jun|juli jul|agustus agu agt|september sep"
        "|oktober okt|november nov|desember des",
        "senin selasa rabu kamis jumat sabtu minggu pukul",
    ),
}  # fmt: skip
_WORD = re.compile(r"\b[^\W\d_]+")  # "2nd" has none
_LEAST_SHARE = 0.5


def _words_of(language: str) -> dict[str, str]:
    months, silent = _LANGUAGES[language]
    words = dict.fromkeys(silent.casefold().split(), "")
    for name, spellings in zip(_ENGLISH, months.casefold().split("|"), strict=True):
        words |= dict.fromkeys(spellings.split(), name)
    return words


def date_words(texts: Sequence[str]) -> Mapping[str, str]:
    """Return replacements for words in dates, in the language of most strings; empty if few strings
    name a month.

    Parameters
    ----------
    texts : sequence of str
        A sample of distinct values.

    Examples
    --------
    >>> date_words(["2. Februar 2020", "3. März 2020"])["märz"]
    'Mar'
    >>> date_words(["red", "blue"])
    {}
    """
    sets = [
        {word.casefold() for word in _WORD.findall(text)} for text in texts if any(map(str.isdigit, text))
    ]
    if len(sets) < _LEAST_SHARE * len(texts):
        return {}
    fitting: Counter[str] = Counter()
    for language in _LANGUAGES:
        words = _words_of(language)
        fitting[language] = sum(
            bool(found) and found <= words.keys() and any(map(words.get, found)) for found in sets
        )
    language, count = max(fitting.items(), key=lambda item: item[1], default=("", 0))
    return _words_of(language) if count >= max(1, _LEAST_SHARE * len(texts)) else {}
