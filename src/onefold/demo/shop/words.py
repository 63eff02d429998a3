"""What things and people are called in the shop, and what it sells."""

from typing import Final, NamedTuple


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN: Final = _words(
    """
    Amelia Olivia Isla Ava Mia Ivy Lily Grace Freya Emily Sofia Ella Poppy Elsie Alice Niamh Aoife Saoirse Orla
    Priya Aisha Fatima Mei Zofia Hanna Ingrid Chloe Lucy Ruth Joan Margaret Susan Karen Claire Helen Sarah Laura
    Emma Nina Kim Oliver George Arthur Noah Leo Harry Oscar Archie Jack Henry Theo Alfie Charlie Freddie Jacob
    Conor Cian Fionn Oisin Sean Raj Omar Yusuf Wei Jakub Lars Ben Tom Paul David Peter Mark Ian Alan Kevin Brian
    Martin Simon Robin Alex Sam
    """
)
FAMILY: Final = _words(
    """
    Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans Walker White
    Roberts Green Hall Wood Jackson Clarke Khan Lewis Harris Clark Scott Turner Hill Moore Cooper Ward Morris
    King Watson Baker Harrison Morgan Allen James Parker Ali Phillips Murphy Kelly Byrne Ryan Walsh Doyle
    Gallagher Doherty Kennedy Lynch Murray Quinn McCarthy Nolan Keane Power Burke Flynn Shaw Bell Kaur Begum
    Ahmed Hussain Nowak Kowalska Schmidt Weber Hughes Edwards Marsh Holt Frost Pike Lake Stone Field Penn Wells
    Brook Heath Dale Ford Hale Nash Reed York Sharpe Tyler Mason Fletcher Cartwright Thatcher Weaver Potter
    Fisher Gardner Shepherd Forrester Chandler Sawyer Wheeler
    """
)
PROVIDERS: Final = (("postbox", 50), ("quickmail", 24), ("letterly", 14), ("mailhaus", 8), ("penpal", 4))
TOWNS: Final = (
    "Harrowgate",
    "Millbrook",
    "Eastwick",
    "Lower Fenton",
    "Ballymore",
    "Kilcastle",
    "Thornley",
    "Port Ellis",
)
FIRMS: Final = ("brightside", "holloway", "northgate", "pinewood", "tollgate", "riverside", "kestrel", "copperfield")
DESKS: Final = ("info", "office", "orders", "reception", "hello")
CAMPAIGNS: Final = (
    ("new-year-cups", "search", "cpc"),
    ("spring-brew", "social", "paid"),
    ("summer-cold-brew", "social", "paid"),
    ("autumn-roast", "search", "cpc"),
    ("black-friday", "display", "banner"),
    ("advent-box", "affiliate", "referral"),
)
AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) Safari/605.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) Safari/605.1",
    "Mozilla/5.0 (Linux; Android 15) Chrome/131.0 Mobile",
)
PHONE_APP: Final = "Alder/4.2 (iPhone; iOS 18.2)"
TABLET_APP: Final = "Alder/4.2 (iPad; iPadOS 18.2)"
COMPLAINTS: Final = (
    "The parcel came with one bag torn open and beans all over it.",
    "I was charged twice for the same order and nobody answers my e-mails.",
    "The grinder stopped after two weeks. I would like my money back.",
    "You sent decaf again although I ordered the dark roast.",
    "My order has been on its way for nine days now.",
    "The voucher from your newsletter does not work in the app.",
)
QUESTIONS: Final = ("Where is my parcel?", "Is the Kenya ground for a moka pot?", "Can I change my delivery address?")
COMMENTS: Final = {
    True: ("Lovely coffee, quick delivery.", "Best beans in town.", "Friendly people at the counter.", ""),
    False: ("Too slow.", "The box was damaged.", "Dearer than last year, and not better.", ""),
}


class Product(NamedTuple):
    """Something on the shelf. `price`: in hundredths of a pound."""

    sku: str
    name: str
    shelf: str
    price: int


PRODUCTS: Final = (
    Product("B-01", "House blend 250 g", "beans", 790),
    Product("B-02", "House blend 1 kg", "beans", 2690),
    Product("B-07", "Kenya Gathaithi", "beans", 1250),
    Product("B-09", "Decaf Huila", "beans", 980),
    Product("B-12", "Espresso No. 4", "beans", 1090),
    Product("G-12", "Pico hand grinder", "grinders", 8900),
    Product("G-20", "Burr grinder 40", "grinders", 16900),
    Product("K-03", "Gooseneck kettle", "kettles", 6400),
    Product("C-01", "Stoneware cup", "cups", 1400),
    Product("C-05", "Travel cup", "cups", 2200),
    Product("F-01", "Paper filters 100", "filters", 450),
    Product("V-25", "Gift card", "gifts", 2500),
)
