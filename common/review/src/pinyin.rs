//! Chinese terms half written by their sound: 加wei信 for 加微信. The forms are made from the term, not from the text,
//! so what stands in a text is never guessed at.
//!
//! One character by its sound, or a term of three characters or more altogether. Short sounds are also words (做AI is
//! no 做爱), so a form must keep enough that is the term's own.

use pinyin::ToPinyin as _;

use super::fold::is_han;

/// The longest term that has such forms, in characters: longer ones are phrases.
const TERM_MAX: usize = 8;
/// The fewest letters of a sound in a term of two characters, and in a longer one.
const SOUND_MIN_OF_TWO: usize = 3;
const SOUND_MIN: usize = 2;
/// The fewest letters of a term that is written by its sound altogether.
const WHOLE_MIN: usize = 7;

/// The forms of a term; none if it is not of Chinese characters alone.
pub(super) fn mixed(term: &str) -> Vec<String> {
    let chars: Vec<char> = term.chars().take(TERM_MAX + 1).collect();
    let sounds: Option<Vec<&str>> = chars.iter().map(|c| is_han(*c).then(|| sound(*c)).flatten()).collect();
    let Some(sounds) = sounds.filter(|sounds| (2..=TERM_MAX).contains(&sounds.len())) else { return Vec::new() };
    let shortest = if chars.len() == 2 { SOUND_MIN_OF_TWO } else { SOUND_MIN };
    let one = |nth: usize| -> String {
        chars.iter().enumerate().map(|(at, c)| if at == nth { sounds[at].to_owned() } else { c.to_string() }).collect()
    };
    let mut forms: Vec<String> = (0..chars.len()).filter(|nth| sounds[*nth].len() >= shortest).map(one).collect();
    if chars.len() > 2 && sounds.iter().map(|sound| sound.len()).sum::<usize>() >= WHOLE_MIN {
        forms.extend(["", " ", "-"].map(|between| sounds.join(between)));
    }
    forms
}

/// How many characters of a term are written by their sound in a text that is one of its forms.
pub(super) fn sounded(term: &str, text: &str) -> u32 {
    let han = |text: &str| text.chars().filter(|c| is_han(*c)).count() as u32;
    if term == text { 0 } else { han(term).saturating_sub(han(text)) }
}

/// How a character is read, in ASCII letters.
fn sound(c: char) -> Option<&'static str> {
    c.to_pinyin().map(pinyin::Pinyin::plain).filter(|sound| sound.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_or_the_whole_term_is_written_by_its_sound() {
        assert_eq!(mixed("加微信"), ["jia微信", "加wei信", "加微xin", "jiaweixin", "jia wei xin", "jia-wei-xin"]);
        assert_eq!(mixed("做爱"), ["zuo爱"], "做ai is what people make with AI");
        assert_eq!(mixed("大麻"), [] as [&str; 0]);
        for other in ["casino", "加v信", "色情 网站", "一二三四五六七八九"] {
            assert_eq!(mixed(other), [] as [&str; 0], "{other}");
        }
    }

    #[test]
    fn the_sounds_in_a_form_are_counted() {
        assert_eq!([sounded("加微信", "加微信"), sounded("加微信", "加wei信")], [0, 1]);
        assert_eq!(sounded("加微信", "jia wei xin"), 3);
    }
}
