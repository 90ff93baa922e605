//! Sample posts in English.

use super::tongue::Tongue;

pub(super) const ENGLISH: Tongue = Tongue {
    authors: &["Ada", "Ben Okafor", "claire_w", "Dmitri", "Eun-ji", "farmer_joe", "Grace", "Héloïse", "Imran", "jo"],
    ordinary: &[
        ("Lost: {thing} near {place}", "I lost a {thing} {when} somewhere near {place}; it has a blue ribbon on it."),
        (
            "Is {place} open {when}?",
            "Does anybody know whether {place} is open {when}? The sign says one thing, the website another.",
        ),
        (
            "Thank you to whoever found my {thing}",
            "Somebody left my {thing} at {place}, dry and in one piece. Thank you!",
        ),
        ("{thing} to give away", "We are moving and have a {thing} to give away. Pick it up near {place} {when}."),
        ("Running group, {when}", "We meet at {place} {when} and run about {number} minutes. All paces are welcome."),
        (
            "The traffic light at {place}",
            "The light at {place} has been blinking {when}; {number} people were late for the same bus.",
        ),
        (
            "How do you repair a {thing}?",
            "My {thing} makes a noise like a kettle. Before I take it apart: has anybody done this?",
        ),
        ("Library talk {when}", "The library by {place} has a talk about old maps {when}. There are {number} slots."),
        (
            "A question about sourdough",
            "Mine has doubled after {number} hours and still tastes of nothing. What am I doing wrong?",
        ),
        (
            "Photos of the fog over {place}",
            "I took {number} photos {when} before the sun came through. Tell me which one you like best.",
        ),
    ],
    spam: &[
        (
            "Double your bitcoin today",
            "Send 0.1 BTC and get 0.2 BTC back, guaranteed returns! Only {number} places left.",
        ),
        (
            "Work from home, earn $5000 a week",
            "No experience needed, earn $5000 a week from home! Message me on WhatsApp, offer ends {when}.",
        ),
        (
            "Cheap followers",
            "Buy {number}000 real followers, cheap and fast. Click here: http://bit.ly/fo11owers-{number}",
        ),
        (
            "You have won a {thing}",
            "Congratulations, you are our lucky winner! Claim your free {thing} now, pay only the postage.",
        ),
    ],
    abuse: &[
        ("To whoever parks at {place}", "You absolute moron, learn to park. Everybody at {place} thinks so."),
        ("Re: the meeting {when}", "Shut up, you stupid idiot, nobody asked you."),
        ("Re: Re: your {thing}", "Nobody asked. Go kill yourself."),
        ("The committee", "What a bunch of worthless idiots, I hope you all lose your jobs {when}."),
    ],
    more: &[
        "I can send a picture.",
        "It has been like this for {number} days.",
        "My neighbour says the same.",
        "Write below if you know more, I will read everything this evening.",
        "No hurry, though.",
        "Last year it was the other way round, if I remember rightly.",
        "We should do this more often 🙂",
        "I asked at {place}, but they could not help.",
    ],
    places: &[
        "the old mill",
        "Station Road",
        "the river bridge",
        "the town hall",
        "Elm Street",
        "the east market",
        "the pool",
    ],
    things: &[
        "bicycle",
        "green umbrella",
        "sewing machine",
        "cat basket",
        "rice cooker",
        "pair of glasses",
        "rucksack",
    ],
    times: &["on Sunday", "this morning", "tomorrow at six", "last night", "on the first of the month", "after school"],
    between: " ",
};
