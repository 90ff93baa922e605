//! Generated posts like those of a small town's forum: mostly ordinary, some spam, some abuse, in English and Chinese.
//!
//! A post is a subject and a few sentences about it with the blanks filled in. The same seed gives the same texts.

use fastrand::Rng;

/// Of a hundred posts so many are spam, and as many more abuse.
const SPAM: u32 = 10;
const ABUSE: u32 = 8;
/// Of a hundred posts so many have no author.
const ANONYMOUS: u32 = 15;

/// A made-up post, before it has an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The title.
    pub title: String,
    /// The text.
    pub content: String,
    /// Who is said to have written it.
    pub author: Option<String>,
}

/// An endless supply of posts.
#[derive(Debug, Clone)]
pub struct Samples(Rng);

impl Samples {
    /// Different ones each time.
    #[must_use]
    pub fn new() -> Self {
        Self(Rng::new())
    }

    /// The same ones for the same seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// The next post.
    pub fn draw(&mut self) -> Sample {
        let rng = &mut self.0;
        let tongue = if rng.bool() { &ENGLISH } else { &CHINESE };
        let author = (rng.u32(..100) >= ANONYMOUS).then(|| pick(rng, tongue.authors).to_owned());
        let (title, content) = match rng.u32(..100) {
            drawn if drawn < SPAM => tongue.written(rng, tongue.spam, 0),
            drawn if drawn < SPAM + ABUSE => tongue.written(rng, tongue.abuse, 0),
            _ => {
                let sentences = rng.usize(1..=4);
                tongue.written(rng, tongue.ordinary, sentences)
            }
        };
        Sample { title, content, author }
    }
}

impl Default for Samples {
    fn default() -> Self {
        Self::new()
    }
}

/// What posts of one language are made of. `{place}`, `{thing}`, `{when}` and `{number}` are blanks.
struct Tongue {
    authors: &'static [&'static str],
    /// Titles, each with its first sentence.
    ordinary: &'static [(&'static str, &'static str)],
    spam: &'static [(&'static str, &'static str)],
    abuse: &'static [(&'static str, &'static str)],
    /// Sentences that can follow any ordinary one.
    more: &'static [&'static str],
    places: &'static [&'static str],
    things: &'static [&'static str],
    times: &'static [&'static str],
    /// What stands between two sentences.
    between: &'static str,
}

impl Tongue {
    fn written(&self, rng: &mut Rng, subjects: &[(&'static str, &'static str)], more: usize) -> (String, String) {
        let (title, first) = subjects[rng.usize(..subjects.len())];
        let mut content = first.to_owned();
        for _ in 0..more {
            content += self.between;
            content += pick(rng, self.more);
        }
        // One place and one time in the title and the text alike: a post is about one thing.
        let blanks = [
            ("{place}", pick(rng, self.places).to_owned()),
            ("{thing}", pick(rng, self.things).to_owned()),
            ("{when}", pick(rng, self.times).to_owned()),
            ("{number}", rng.u32(2..90).to_string()),
        ];
        let filled = |text: String| blanks.iter().fold(text, |text, (blank, word)| text.replace(blank, word));
        (filled(title.to_owned()), filled(content))
    }
}

fn pick(rng: &mut Rng, from: &'static [&'static str]) -> &'static str {
    from[rng.usize(..from.len())]
}

const ENGLISH: Tongue = Tongue {
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
        ("Library talk {when}", "The library by {place} has a talk about old maps {when}. There are {number} chairs."),
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

const CHINESE: Tongue = Tongue {
    authors: &["小林", "阿梅", "老王头", "追风少年", "陈默", "一杯清茶", "李工", "月亮邮差", "Kevin在上海", "静静"],
    ordinary: &[
        ("{place}附近丢了{thing}", "{when}我在{place}附近丢了一个{thing}，上面系着蓝色的带子，有人看到吗？"),
        ("请问{place}{when}开门吗", "门口的牌子和网上写的不一样，有人知道{place}{when}到底开不开门吗？"),
        ("感谢捡到我{thing}的好心人", "有人把我的{thing}送到了{place}，一点没坏，太感谢了！"),
        ("搬家，{thing}免费送", "下周要搬家，{thing}还很新，{when}可以来{place}自取。"),
        ("跑步小组{when}集合", "{when}在{place}集合，大概跑{number}分钟，快慢都可以，欢迎新朋友。"),
        ("{place}的路口交通灯坏了", "{place}的灯一直在闪，{when}我等了{number}分钟才过去，大家注意安全。"),
        ("{thing}有异响怎么修", "我家的{thing}一开就像烧水一样响，拆之前先问问大家有没有经验。"),
        ("周末读书会", "{place}旁边的图书馆{when}有读书会，只有{number}个座位，先到先得。"),
        ("第一次做馒头求指点", "发了{number}个小时还是硬，是水少了还是火大了？"),
        ("{place}的晨雾", "{when}拍了{number}张照片，太阳出来前的几分钟最美，你们喜欢哪一张？"),
    ],
    spam: &[
        ("兼职刷单 日结工资", "手机兼职，在家就能赚，日入{number}00，无需押金，有意者加微信：jz889{number}"),
        ("限时优惠，厂家直销", "限时优惠！厂家直销{thing}，欢迎咨询，加V信：shop22{number}"),
        ("恭喜中奖", "恭喜您被抽中为幸运用户，免费领取{thing}一台，点击链接填写银行卡号即可领取。"),
        ("稳赚不赔的项目", "内部消息，稳赚不赔，每天收益{number}%，名额有限，加群详聊。"),
    ],
    abuse: &[
        ("在{place}乱停车的那位", "你是白痴吗？会不会停车？{place}是你家开的？"),
        ("回复：{when}的会", "你们这帮智障，怎么不去死。"),
        ("回复楼上", "闭嘴吧废物，没人想听你说话。"),
        ("某些人", "脑子有病就去治，别在这里丢人现眼，滚出去。"),
    ],
    more: &[
        "可以发照片给大家看。",
        "这样已经{number}天了。",
        "邻居也这么说。",
        "知道的朋友请在下面留言，晚上我会一条一条看。",
        "不着急，慢慢来。",
        "去年好像不是这样的。",
        "这样的活动应该多办几次😊",
        "我去{place}问过，他们也不清楚。",
    ],
    places: &["老磨坊", "车站路", "跨河大桥", "东市场", "榆树街", "游泳馆", "社区中心"],
    things: &["自行车", "绿色雨伞", "缝纫机", "电饭煲", "眼镜", "双肩包", "猫包"],
    times: &["周日", "今天早上", "明天六点", "昨晚", "每月一号", "放学后"],
    between: "",
};

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_core::post::{AUTHOR_MAX_CHARS, CONTENT_MAX_CHARS, TITLE_MAX_CHARS};

    fn some(seed: u64) -> Vec<Sample> {
        let mut samples = Samples::from_seed(seed);
        (0..2000).map(|_| samples.draw()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_posts() {
        assert_eq!(some(7), some(7));
        assert_ne!(some(7), some(8));
    }

    #[test]
    fn every_post_is_within_the_limits_and_has_no_blank_left() {
        for Sample { title, content, author } in some(1) {
            assert!((1..=TITLE_MAX_CHARS).contains(&title.chars().count()), "{title}");
            assert!((1..=CONTENT_MAX_CHARS).contains(&content.chars().count()), "{content}");
            assert!(author.is_none_or(|author| (1..=AUTHOR_MAX_CHARS).contains(&author.chars().count())));
            assert!(!title.contains('{') && !content.contains('{'), "{title}: {content}");
        }
    }

    #[test]
    fn both_languages_and_all_kinds_turn_up() {
        let texts: Vec<_> = some(3).into_iter().map(|sample| sample.content).collect();
        let share = |word: &str| texts.iter().filter(|text| text.contains(word)).count();
        for word in ["BTC", "加微信", "idiot", "智障", "图书馆", "library"] {
            let found = share(word);
            assert!(found > 0, "{word}");
        }
        assert!(texts.iter().filter(|text| text.is_ascii()).count() > 500);
        assert!(texts.iter().filter(|text| !text.is_ascii()).count() > 500);
    }
}
