"""What people of the demonstration write to each other: texts only, `demo` makes mail of them.

Ages in hours before the first start. A letter with `thread` answers the one before it there.
"""

from __future__ import annotations

from dataclasses import dataclass

ALICE = "Alice Lefèvre <alice@crepes.test>"
BOB = "Bob Ortega <bob@hamburger.test>"
CARMEN = "Carmen Ibáñez <carmen@mercado.example>"
DEV = "Dev Patel <dev@ovens.example>"
ELIF = "Elif Yıldız <elif@terrace.example>"
FARM = "Granja Los Olmos <pedidos@losolmos.example>"
NEWS = "The Griddle Weekly <weekly@griddle.example>"
BANK = "Norte Bank <no-reply@nortebank.example>"
RAIL = "Rail Tickets <tickets@rail.example>"
LIST = "Kitchen list <kitchen@lists.example>"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to be: `to` are header addresses; kind says what it carries besides text."""

    age_h: float
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    thread: str = ""
    kind: str = "text"  # text | newsletter | pdf | photo | sheet | calendar | html
    is_seen: bool = True
    is_flagged: bool = False
    role: str = "inbox"


BOTH = (ALICE, BOB)

TERRACE = (
    (
        330,
        ELIF,
        "Hi both,\n\nthe terrace is free on the 14th and the 21st. Thirty seats, power for two griddles, and the neighbours are fine with music until ten.\n\nWhich one shall I keep for you?\n\nElif",
    ),
    (
        326,
        ALICE,
        "The 21st, please! On the 14th half of my team is away.\n\nBob, can you bring the big griddle?\n\nAlice",
    ),
    (325, BOB, "Yes, and the van. Can we load in from the back street?\n\nBob"),
    (
        304,
        ELIF,
        "From the back street, yes, between four and five. After that the gate is closed.\n\nI keep the 21st.",
    ),
    (
        298,
        ALICE,
        "Perfect. I wrote down a first list:\n\n- batter for 120 crêpes\n- lemon, sugar, chestnut cream\n- paper plates, no plastic\n- a sign with prices\n\nWhat is missing?",
    ),
    (
        297,
        BOB,
        "Patties for 80, buns, pickles. And change! We ran out of coins by eight last time.",
    ),
    (
        250,
        DEV,
        "Somebody mentioned two griddles: what do they draw? I would rather not be the one who turns off the whole street.\n\nDev",
    ),
    (249, BOB, "2.8 kW each. Written on the back, in very small letters."),
    (226, DEV, "Then one circuit each. I bring a second cable, 25 metres, and put tape over it."),
    (170, ELIF, "One more thing: the town wants a name on the permit. May I write Alice's?"),
    (169, ALICE, "Of course. Alice Lefèvre, Crêpes & Cie."),
    (96, ELIF, "Permit is here. The weather looks kind as well."),
    (
        50,
        BOB,
        "Van is booked. I come by at three with the pickles.\n\n> Permit is here. The weather looks kind as well.\n\nFamous last words!",
    ),
    (
        5,
        ALICE,
        "Last call: who brings the sign?\n\n> Van is booked. I come by at three with the pickles.\n\nSee you on Saturday,\nAlice",
    ),
)
OVEN = (
    (
        210,
        BOB,
        "Dear Dev,\n\nthe left oven stays at 160° whatever I set. The right one is fine. Is it the thermostat?\n\nBob",
    ),
    (
        205,
        DEV,
        "Sounds like it. Could you send a photo of the plate behind the door? I need the type number.",
    ),
    (203, BOB, "Here it is. Sorry for the flour."),
    (
        199,
        DEV,
        "Thank you. The part costs 38.50 and is here on Thursday. Fitting takes half an hour.\n\nShall I come on Friday at seven, before you open?",
    ),
    (198, BOB, "Friday at seven. Coffee is on the house."),
    (70, DEV, "Fitted, tested at 180, 220 and 250. Invoice attached.\n\nDev"),
)
MERCADO = (
    (
        140,
        CARMEN,
        "Hola Alicia:\n\nEsta semana tenemos fresas de Huelva a 3,20 € el kilo y limones a 1,10 €. ¿Te aparto lo de siempre?\n\nUn abrazo,\nCarmen",
    ),
    (
        138,
        ALICE,
        "¡Hola, Carmen!\n\nLo de siempre y cuatro kilos más de limones, que tenemos una fiesta el sábado. ¿Podrías traerlo el viernes?\n\nGracias,\nAlice",
    ),
    (
        137,
        CARMEN,
        "El viernes a las ocho estoy en tu puerta. Te añado un ramo de hierbabuena, regalo de la casa.\n\nCarmen",
    ),
    (
        28,
        CARMEN,
        "Un cambio de última hora: los limones llegan el viernes a las diez, no a las ocho. ¿Te va bien?\n\nPerdona el lío. Aquí tienes la lista de precios de la semana que viene.",
    ),
)

SINGLE = (
    Letter(
        400,
        BANK,
        (BOB,),
        "Your statement for last month",
        "Your statement is ready. Sign in at our site to read it; we never send links.\n\nNorte Bank",
    ),
    Letter(
        380,
        RAIL,
        (ALICE,),
        "Your ticket to Lyon",
        "Coach 7, seat 42, window. Your ticket is attached.\n\nHave a good journey!",
        kind="pdf",
    ),
    Letter(
        336,
        NEWS,
        (BOB,),
        "Smash or press? Twelve griddles compared",
        "Twelve griddles compared, and a reader's pickle recipe.",
        kind="newsletter",
    ),
    Letter(
        260,
        FARM,
        BOTH,
        "Pedido confirmado: 240 huevos",
        "Buenos días:\n\nVuestro pedido de 240 huevos camperos sale el jueves por la mañana.\n\nGranja Los Olmos",
    ),
    Letter(
        240,
        BOB,
        (ALICE,),
        "Recipe for the sauce",
        "As promised, and you did not get it from me:\n\n  100 g mayonnaise\n   30 g mustard\n   20 g pickle brine\n    1 tsp smoked paprika\n\nLet it rest for an hour.\n\nBob",
        is_flagged=True,
    ),
    Letter(
        190,
        ELIF,
        BOTH,
        "Photo from last year",
        "Look what I found. We were so young!\n\nElif",
        kind="photo",
    ),
    Letter(
        168,
        NEWS,
        BOTH,
        "The bun question, answered",
        "Brioche, potato or milk bread: forty readers tasted blind.",
        kind="newsletter",
    ),
    Letter(
        160,
        LIST,
        (BOB,),
        "[kitchen] Which knife steel for a beginner?",
        "Hello list,\n\na friend starts in our kitchen next month. Which steel would you give her first?\n\nKim",
    ),
    Letter(
        120,
        "Accounts <accounts@crepes.test>",
        (ALICE,),
        "Takings, week 46",
        "Takings by day are attached as a table. Saturday was the best one this year.",
        kind="sheet",
    ),
    Letter(
        110,
        BANK,
        (ALICE,),
        "A new device signed in",
        "A new device signed in to your account from Nantes. If that was you, there is nothing to do.",
    ),
    Letter(
        92,
        ELIF,
        BOTH,
        "Invitation: walk through before the party",
        "Let us walk through it once, fifteen minutes on the terrace.",
        kind="calendar",
        is_flagged=True,
    ),
    Letter(
        76,
        "Ines <ines@crepes.test>",
        (ALICE,),
        "Turnos de la semana",
        "Hola:\n\nos paso los turnos. El sábado necesito a alguien hasta las once.\n\nInés",
        is_seen=False,
    ),
    Letter(
        48,
        "Lottery Office <winner@prizes.example>",
        BOTH,
        "YOU HAVE WON 4,000,000",
        "Send us your bank details today to receive your price.",
        role="junk",
        is_seen=False,
    ),
    Letter(
        30,
        "Kim <kim@lists.example>",
        (BOB,),
        "Re: [kitchen] Which knife steel for a beginner?",
        "Thank you all. She will get a stainless one and a whetstone.\n\nKim",
        is_seen=False,
    ),
    Letter(
        20,
        NEWS,
        BOTH,
        "Cold batter, hot pan",
        "Why batter rests, a griddle under 100, and this week's letters.",
        kind="newsletter",
        is_seen=False,
    ),
    Letter(
        3,
        ALICE,
        (BOB,),
        "Coins",
        "I have 200 in coins for Saturday. Please bring the cash box, mine does not lock any more.\n\nAlice",
        is_seen=False,
    ),
    Letter(
        2,
        BOB,
        (ALICE,),
        "Pickles, and a question",
        "Two buckets are ready.\n\nDo you want the sweet ones as well? They went first last time.\n\nBob",
        kind="html",
        is_seen=False,
    ),
    Letter(
        1,
        "Prüfung & Söhne <post@pruefung.example>",
        BOTH,
        "Angebot für Pappteller",
        "Guten Tag,\n\n500 Pappteller, kompostierbar, 34,90 € frei Haus. Das Angebot gilt bis Monatsende.\n\nMit freundlichen Grüßen\nS. Prüfung",
        is_seen=False,
    ),
)


def letters() -> list[Letter]:
    """Return all letters, oldest first."""
    everything = [
        *_thread("terrace", "Terrace party on the 21st", TERRACE, (ALICE, BOB, ELIF, DEV)),
        *_thread("oven", "Left oven stays cold", OVEN, (BOB, DEV)),
        *_thread("mercado", "Fresas y limones de esta semana", MERCADO, (ALICE, CARMEN)),
        *SINGLE,
    ]
    return sorted(everything, key=lambda letter: -letter.age_h)


def _thread(
    name: str, subject: str, posts: tuple[tuple[float, str, str], ...], people: tuple[str, ...]
) -> list[Letter]:
    kinds = {("oven", 2): "photo", ("oven", 5): "pdf", ("mercado", 3): "sheet"}
    return [
        Letter(
            age_h,
            sender,
            tuple(person for person in people if person != sender),
            subject if number == 0 else f"Re: {subject}",
            text,
            thread=name,
            kind=kinds.get((name, number), "text"),
            is_seen=age_h > 60,
        )
        for number, (age_h, sender, text) in enumerate(posts)
    ]
