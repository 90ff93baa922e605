//! In which language a text is, as far as that matters: whether there are lists for it. Where there are none, an approved
//! post was looked at for what it has in any language (links, numbers, signs), and nobody should believe more.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// How much of a text is looked at, in bytes.
const LOOKED_AT: usize = 600;
/// The fewest letters that tell anything.
const LETTERS_MIN: usize = 12;
/// The fewest words of a language that tell it from another one.
const WORDS_MIN: usize = 3;

/// A language that a text can be told to be in, or a script of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub(super) enum Language {
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh")]
    Chinese,
    #[serde(rename = "de")]
    German,
    #[serde(rename = "es")]
    Spanish,
    #[serde(rename = "fr")]
    French,
    #[serde(rename = "it")]
    Italian,
    #[serde(rename = "pt")]
    Portuguese,
    #[serde(rename = "ja")]
    Japanese,
    #[serde(rename = "ko")]
    Korean,
    #[serde(rename = "arabic")]
    Arabic,
    #[serde(rename = "cyrillic")]
    Cyrillic,
    #[serde(rename = "devanagari")]
    Devanagari,
    #[serde(rename = "greek")]
    Greek,
    #[serde(rename = "hebrew")]
    Hebrew,
    #[serde(rename = "thai")]
    Thai,
}

impl Language {
    /// Its name in rules files, metrics and JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
            Self::German => "de",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Italian => "it",
            Self::Portuguese => "pt",
            Self::Japanese => "ja",
            Self::Korean => "ko",
            Self::Arabic => "arabic",
            Self::Cyrillic => "cyrillic",
            Self::Devanagari => "devanagari",
            Self::Greek => "greek",
            Self::Hebrew => "hebrew",
            Self::Thai => "thai",
        }
    }

    /// The language of a text; `None`: it cannot be told.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = &text[..text.floor_char_boundary(LOOKED_AT)];
        let mut counts: HashMap<Script, usize> = HashMap::new();
        text.chars().filter_map(script).for_each(|script| *counts.entry(script).or_default() += 1);
        let letters: usize = counts.values().sum();
        let count = |script: Script| counts.get(&script).copied().unwrap_or_default();
        // Japanese has as many Chinese characters as kana, or more; Chinese has no kana.
        let (han, kana) = (count(Script::Han), count(Script::Kana));
        let main = if kana * 8 >= han + kana && kana > 0 { Script::Kana } else { Script::Han };
        let (main, most) = counts
            .iter()
            .filter(|(script, _)| !matches!(script, Script::Han | Script::Kana))
            .map(|(script, count)| (*script, *count))
            .chain([(main, han + kana)])
            .max_by_key(|(_, count)| *count)?;
        if letters < LETTERS_MIN || most * 2 <= letters {
            return None;
        }
        match main {
            Script::Latin => by_words(text),
            Script::Han => Some(Self::Chinese),
            Script::Kana => Some(Self::Japanese),
            Script::Of(language) => Some(language),
        }
    }
}

/// What a letter tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Script {
    Latin,
    Han,
    Kana,
    Of(Language),
}

fn script(c: char) -> Option<Script> {
    Some(match c {
        'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' => Script::Latin,
        '\u{370}'..='\u{3FF}' => Script::Of(Language::Greek),
        '\u{400}'..='\u{52F}' => Script::Of(Language::Cyrillic),
        '\u{590}'..='\u{5FF}' => Script::Of(Language::Hebrew),
        '\u{600}'..='\u{6FF}' | '\u{750}'..='\u{77F}' => Script::Of(Language::Arabic),
        '\u{900}'..='\u{97F}' => Script::Of(Language::Devanagari),
        '\u{E00}'..='\u{E7F}' => Script::Of(Language::Thai),
        '\u{3040}'..='\u{30FF}' => Script::Kana,
        '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}' => Script::Han,
        '\u{AC00}'..='\u{D7AF}' | '\u{1100}'..='\u{11FF}' => Script::Of(Language::Korean),
        _ => return None,
    })
}

/// Words that nearly every sentence of a language has.
const WORDS: [(Language, &str); 6] = [
    (
        Language::English,
        "the and of to is in that it you for on with this was are have not be but they at or my your we from his her i a \
         what how there just if so do",
    ),
    (
        Language::German,
        "der die das und ist nicht ein eine ich zu mit den auf für von sie dem sich auch wir aber wie wenn noch nur sind \
         habe wird bei zum zur einen oder",
    ),
    (
        Language::Spanish,
        "el la los las de que y en un una por para con es se lo como más pero está muy todo del al mi hay esto ya porque \
         son fue",
    ),
    (
        Language::French,
        "le la les des de et un une est pas pour que qui dans sur avec ce il je vous nous du au mais plus cette sont très \
         ne se par",
    ),
    (
        Language::Italian,
        "il lo la gli di che e un una per con non è sono del della anche ma come più questo nel ho mi ci al le si",
    ),
    (
        Language::Portuguese,
        "o os de que e em um uma para com não é se por mais mas está muito do da no na ao você isso foi são tem meu",
    ),
];

/// By word: which of [`WORDS`] have it, a bit for each.
static KNOWN: LazyLock<HashMap<&str, u8>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    for (nth, (_, words)) in WORDS.iter().enumerate() {
        words.split_whitespace().for_each(|word| *known.entry(word).or_insert(0) |= 1 << nth);
    }
    known
});

/// The language with the most words in a text of Latin letters, if it has twice as many as English or is English.
fn by_words(text: &str) -> Option<Language> {
    let mut counts = [0usize; WORDS.len()];
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        let languages = KNOWN.get(word.to_lowercase().as_str()).copied().unwrap_or_default();
        counts.iter_mut().enumerate().for_each(|(nth, count)| *count += usize::from(languages >> nth & 1));
    }
    let [english, ..] = counts;
    // The first of equals: English, if it is one of them.
    let (best, most) = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
    let told = *most >= WORDS_MIN && (best == 0 || *most >= 2 * english);
    told.then_some(WORDS[best].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_a_sentence_is_told_or_nothing_is() {
        for (text, name) in [
            ("The library will be closed on Monday, so bring your books back by then.", Some("en")),
            ("下周一图书馆闭馆，请大家提前还书。谢谢配合", Some("zh")),
            ("図書館は来週の月曜日に休館しますので、ご注意ください。", Some("ja")),
            ("도서관은 다음 주 월요일에 문을 닫습니다. 감사합니다", Some("ko")),
            ("La biblioteca estará cerrada el lunes, así que devuelve los libros antes, por favor.", Some("es")),
            (
                "Die Bücherei ist am Montag geschlossen, also bringt die Bücher bitte vorher und nicht später.",
                Some("de"),
            ),
            (
                "La bibliothèque est fermée lundi, pensez à rendre les livres avant et merci pour votre aide.",
                Some("fr"),
            ),
            ("A biblioteca não abre na segunda, então devolva os livros antes, com o cartão, por favor.", Some("pt")),
            ("Библиотека закрыта в понедельник, верните книги заранее.", Some("cyrillic")),
            ("المكتبة مغلقة يوم الاثنين، يرجى إعادة الكتب قبل ذلك.", Some("arabic")),
            ("ok lol", None),
            ("12345 :) https://example.com", None),
            ("Scunthorpe Grimsby Cleethorpes Immingham", None),
        ] {
            assert_eq!(Language::of(text).map(Language::name), name, "{text}");
        }
    }
}
