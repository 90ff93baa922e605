//! Whether a stretch of a [`Compact`] view spells a term, and whether a reader would see it there.
//!
//! A key of the automaton says only that the letters come in this order. Here the term is laid over the cells, run by
//! run. What makes a disguise and what an accident is drawn from how ordinary text looks: doubled letters and words of
//! three letters beside each other are common, single letters with signs between them are not.

use std::ops::Range;

use super::compact::{Cell, Compact, Gap, Written};

/// A term of Latin letters alone, as it is laid over cells.
#[derive(Debug, Clone)]
pub(super) struct Spelling {
    runs: Vec<(u8, u32)>,
    /// After how many letters another word begins.
    words: Vec<u32>,
    letters: u32,
}

/// How a stretch differs from the term.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Disguise {
    /// Separators between its letters.
    pub(super) separators: u32,
    /// Digits and signs for letters.
    pub(super) leet: u32,
    /// Hidden letters.
    pub(super) masked: u32,
    /// Letters too many.
    pub(super) repeats: u32,
    /// Chinese characters written by their sound.
    pub(super) pinyin: u32,
}

impl Spelling {
    /// `None`: a term of other letters, or too short to be told from an accident.
    pub(super) fn new(term: &str) -> Option<Self> {
        let mut spelling = Self { runs: Vec::new(), words: Vec::new(), letters: 0 };
        for byte in term.bytes() {
            match byte {
                b'a'..=b'z' => {
                    spelling.letters += 1;
                    match spelling.runs.last_mut() {
                        Some((letter, length)) if *letter == byte => *length += 1,
                        _ => spelling.runs.push((byte, 1)),
                    }
                }
                b' ' | b'-' | b'\'' => spelling.words.push(spelling.letters),
                _ => return None,
            }
        }
        (spelling.letters >= 3).then_some(spelling)
    }

    /// What the automaton looks for.
    pub(super) fn key(&self) -> String {
        let mut key: Vec<u8> =
            self.runs.iter().map(|(letter, _)| if *letter == b'l' { b'i' } else { *letter }).collect();
        key.dedup();
        key.into_iter().map(char::from).collect()
    }

    /// How the cells of some keys differ from the term; `None`: they do not spell it, or only by accident. `edges`: no
    /// cell may touch it.
    pub(super) fn read(&self, view: &Compact, keys: Range<usize>, edges: bool) -> Option<Disguise> {
        let span = view.starts[keys.start] as usize..view.starts[keys.end] as usize;
        let cells = &view.cells[span.clone()];
        let begins = span.start == 0 || cells.first()?.gap != Gap::None;
        let ends = view.cells.get(span.end).is_none_or(|next| next.gap != Gap::None);
        if edges && !(begins && ends) {
            return None;
        }
        let (disguise, own) = self.laid_over(cells)?;
        let seen = self.is_enough_to_read(cells, disguise) && gaps_are_a_disguise(cells, &own, disguise);
        (seen && (edges || disguise.separators == 0)).then_some(disguise)
    }

    /// Run by run; also at which cells another word of the term begins.
    fn laid_over(&self, cells: &[Cell]) -> Option<(Disguise, Vec<usize>)> {
        let mut disguise = Disguise::default();
        let (mut at, mut letters, mut own) = (0, 0, Vec::new());
        for (nth, (letter, length)) in self.runs.iter().enumerate() {
            let next = self.runs.get(nth + 1).map(|(letter, _)| *letter);
            let start = at;
            while let Some(cell) = cells.get(at).filter(|cell| cell.can_be(*letter)) {
                let enough = (at - start) as u32 >= *length;
                if enough && next.is_some_and(|next| cell.can_be(next)) {
                    break;
                }
                at += 1;
            }
            let found = (at - start) as u32;
            if !fits(*letter, *length, found, self.letters, nth == 0) {
                return None;
            }
            disguise.repeats += found - length;
            own.extend(
                self.words
                    .iter()
                    .filter(|word| (letters..letters + length).contains(word))
                    .map(|word| start + (word - letters) as usize),
            );
            letters += length;
        }
        for cell in cells {
            disguise.leet += u32::from(matches!(cell.written, Written::Digit | Written::Sign));
            disguise.masked += u32::from(cell.written == Written::Masked);
        }
        let foreign = |nth: &usize| cells[*nth].gap != Gap::None && !own.contains(nth);
        disguise.separators = (1..cells.len()).filter(foreign).count() as u32;
        (at == cells.len()).then_some((disguise, own))
    }

    /// Numbers and the codes of parts are no words: some letters must be there as letters.
    fn is_enough_to_read(&self, cells: &[Cell], disguise: Disguise) -> bool {
        let digits = cells.iter().filter(|cell| cell.written == Written::Digit).count();
        let real = cells.iter().filter(|cell| cell.written == Written::Letter).count();
        let spaced = disguise.separators > 0;
        let few_digits = self.letters > 3 || digits <= 1;
        real > 0 && few_digits && 2 * real + 1 >= self.letters as usize && (!spaced || digits == 0 || real >= 2)
    }
}

/// Whether a run of letters can be read as a shorter one. Three in a row are never spelling; two are where English
/// doubles no such letter.
fn fits(letter: u8, length: u32, found: u32, letters: u32, first: bool) -> bool {
    let doubled = found == 2 && length == 1;
    let unusual = matches!(letter, b'a' | b'h' | b'i' | b'j' | b'k' | b'q' | b'u' | b'v' | b'w' | b'x' | b'y');
    let usual = matches!(letter, b'e' | b'o');
    found == length || (found > length && (found >= 3 || (doubled && (unusual || first || (letters >= 4 && !usual)))))
}

/// Whether what stands between the letters is there to hide the word: single letters set apart, signs that belong into
/// no word, or a piece that is no word by itself ("fu ck", but not "pen is").
fn gaps_are_a_disguise(cells: &[Cell], own: &[usize], disguise: Disguise) -> bool {
    let gap = |nth: usize| cells[nth].gap;
    if own.iter().any(|nth| gap(*nth) == Gap::Both) {
        return false;
    }
    if disguise.separators == 0 {
        return true;
    }
    let foreign: Vec<usize> = (1..cells.len()).filter(|nth| gap(*nth) != Gap::None && !own.contains(nth)).collect();
    let bounds: Vec<usize> = [0].into_iter().chain(foreign.iter().copied()).chain([cells.len()]).collect();
    let pieces: Vec<&[Cell]> = bounds.windows(2).map(|pair| &cells[pair[0]..pair[1]]).collect();
    if pieces.iter().all(|piece| piece.iter().all(|cell| cell.letter == piece[0].letter)) {
        return true;
    }
    if foreign.iter().any(|nth| gap(*nth) == Gap::Both) {
        return false;
    }
    if foreign.iter().all(|nth| gap(*nth) == Gap::Odd) {
        return true;
    }
    let spaced = foreign.iter().any(|nth| gap(*nth) == Gap::Space);
    let no_word = pieces.iter().any(|piece| !is_common(piece));
    no_word && (!spaced || cells.len() >= 4)
}

/// Whether a piece may be a word by itself: a longer one always, a short one if it is among the common ones.
fn is_common(piece: &[Cell]) -> bool {
    let word: String = piece.iter().map(|cell| cell.sign).collect();
    word.len() >= 5 || COMMON.binary_search(&word.as_str()).is_ok()
}

/// Short words that ordinary text puts beside each other, in order.
const COMMON: &[&str] = &[
    "a", "able", "act", "ad", "add", "age", "ago", "ah", "aid", "aim", "air", "all", "also", "am", "an", "and", "any",
    "are", "area", "arm", "army", "art", "as", "ask", "at", "ate", "away", "baby", "back", "bad", "bag", "ball", "ban",
    "band", "bank", "bar", "base", "bat", "bath", "be", "bear", "beat", "bed", "bee", "been", "beer", "beg", "bell",
    "belt", "best", "bet", "big", "bill", "bin", "bird", "bit", "blow", "blue", "boat", "body", "bond", "bone", "book",
    "boot", "born", "boss", "both", "bow", "bowl", "box", "boy", "bug", "burn", "bus", "bush", "busy", "but", "buy",
    "by", "cab", "cake", "call", "calm", "came", "camp", "can", "cap", "car", "card", "care", "case", "cash", "cast",
    "cat", "chat", "chip", "city", "club", "coal", "coat", "code", "cold", "come", "cook", "cool", "cop", "cope",
    "copy", "core", "cost", "cow", "crew", "crop", "cry", "cup", "cut", "dad", "dark", "data", "date", "dawn", "day",
    "days", "dead", "deal", "dean", "dear", "debt", "deep", "deny", "desk", "dial", "did", "die", "diet", "dig",
    "dirt", "dish", "do", "does", "dog", "done", "door", "dot", "down", "draw", "drew", "drop", "drug", "dry", "dual",
    "due", "duke", "dust", "duty", "each", "ear", "earn", "ease", "east", "easy", "eat", "edge", "egg", "else", "end",
    "era", "even", "ever", "evil", "ex", "exit", "eye", "face", "fact", "fail", "fair", "fall", "fan", "far", "farm",
    "fast", "fat", "fate", "fear", "fee", "feed", "feel", "feet", "fell", "felt", "few", "fig", "file", "fill", "film",
    "find", "fine", "fire", "firm", "fish", "fit", "five", "fix", "flat", "flow", "fly", "fog", "food", "foot", "for",
    "ford", "form", "fort", "four", "fox", "free", "from", "fuel", "full", "fun", "fund", "gain", "game", "gap", "gas",
    "gate", "gave", "gear", "get", "gift", "girl", "give", "glad", "go", "goal", "god", "goes", "gold", "golf", "gone",
    "good", "got", "gray", "grew", "grid", "grow", "gun", "guy", "had", "hair", "half", "hall", "hand", "hang", "hard",
    "harm", "has", "hat", "hate", "have", "hay", "he", "head", "hear", "heat", "held", "help", "her", "here", "hero",
    "hey", "hi", "hid", "high", "hill", "him", "hip", "hire", "his", "hit", "hold", "hole", "holy", "home", "hope",
    "host", "hot", "hour", "how", "huge", "hung", "hunt", "hurt", "i", "ice", "id", "idea", "if", "ill", "in", "inch",
    "ink", "into", "ion", "iron", "is", "it", "item", "its", "jack", "jam", "jar", "jaw", "jet", "job", "join", "joy",
    "jump", "jury", "just", "keen", "keep", "kept", "key", "kick", "kid", "kind", "king", "kit", "knee", "knew",
    "know", "la", "lab", "lack", "lad", "lady", "laid", "lake", "land", "lane", "last", "late", "law", "lay", "lead",
    "led", "left", "leg", "less", "let", "lid", "lie", "life", "lift", "like", "line", "link", "lip", "list", "lit",
    "live", "load", "loan", "lock", "log", "long", "look", "lord", "lose", "loss", "lost", "lot", "love", "low",
    "luck", "ma", "mad", "made", "mail", "main", "make", "male", "man", "many", "map", "mark", "mass", "mat", "may",
    "me", "meal", "mean", "meat", "meet", "men", "menu", "mere", "met", "mile", "milk", "mind", "mine", "miss", "mix",
    "mob", "mode", "mom", "mood", "moon", "more", "most", "move", "mr", "ms", "much", "mud", "must", "my", "name",
    "near", "neck", "need", "net", "new", "news", "next", "nice", "nine", "no", "nod", "none", "nor", "nose", "not",
    "note", "now", "nut", "odd", "of", "off", "oh", "oil", "ok", "okay", "old", "on", "once", "one", "only", "onto",
    "open", "or", "oral", "our", "out", "over", "owe", "own", "pa", "pace", "pack", "pad", "page", "paid", "pain",
    "pair", "palm", "pan", "par", "park", "part", "pass", "past", "path", "pay", "peak", "pen", "pet", "pick", "pie",
    "pig", "pin", "pink", "pipe", "pit", "plan", "play", "plot", "plus", "poll", "pool", "poor", "pop", "port", "post",
    "pot", "pro", "pub", "pull", "pure", "push", "put", "race", "rail", "rain", "ran", "rank", "rare", "rat", "rate",
    "raw", "re", "read", "real", "rear", "red", "rely", "rent", "rest", "rib", "rice", "rich", "rid", "ride", "ring",
    "rip", "rise", "risk", "road", "rock", "rod", "role", "roll", "roof", "room", "root", "rose", "row", "rub", "rule",
    "run", "rush", "sad", "safe", "said", "sail", "sale", "salt", "same", "sand", "sat", "save", "saw", "say", "sea",
    "seat", "see", "seed", "seek", "seem", "seen", "self", "sell", "send", "sent", "set", "sew", "she", "ship", "shop",
    "shot", "show", "shut", "shy", "sick", "side", "sign", "sin", "sir", "sit", "site", "six", "size", "skin", "sky",
    "slip", "slow", "snow", "so", "soft", "soil", "sold", "sole", "some", "son", "song", "soon", "sort", "soul",
    "spot", "st", "star", "stay", "step", "stop", "such", "suit", "sum", "sun", "sure", "tag", "take", "tale", "talk",
    "tall", "tan", "tank", "tap", "tape", "tar", "task", "tax", "tea", "team", "tell", "ten", "tend", "term", "test",
    "text", "than", "that", "the", "them", "then", "they", "thin", "this", "thus", "tie", "till", "time", "tiny",
    "tip", "to", "toe", "told", "toll", "ton", "tone", "too", "took", "tool", "top", "tour", "town", "toy", "tree",
    "trip", "true", "try", "tune", "turn", "tv", "two", "type", "uk", "unit", "up", "upon", "us", "use", "used",
    "user", "van", "vary", "vast", "very", "vet", "via", "vice", "view", "vote", "vs", "wage", "wait", "wake", "walk",
    "wall", "want", "war", "ward", "warm", "was", "wash", "wave", "way", "ways", "we", "weak", "wear", "web", "week",
    "well", "went", "were", "west", "wet", "what", "when", "who", "whom", "why", "wide", "wife", "wig", "wild", "will",
    "win", "wind", "wine", "wing", "wire", "wise", "wish", "wit", "with", "won", "wood", "word", "wore", "work",
    "yard", "yeah", "year", "yes", "yet", "you", "your", "zero", "zip", "zone",
];
