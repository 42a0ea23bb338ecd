//! Which language a text in Latin letters is in, as far as its stemmer and its stop words are concerned.

use std::sync::LazyLock;

use rust_stemmers::Algorithm;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::compact;

/// Words of a text that are looked at.
const ENOUGH: usize = 200;

/// How much a function word speaks for its languages; letters, and all particles of names together.
const WORD: u32 = 2;
const LETTER: u32 = 1;
const PARTICLE: u32 = 1;

/// What must speak for a language other than English.
const LEAST: u32 = 3;

/// The languages in Latin letters that have a Snowball stemmer. A text in any other counts as English: that stemmer
/// leaves most of its words alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[allow(missing_docs)]
pub enum Language {
    #[default]
    English,
    Danish,
    Dutch,
    Finnish,
    French,
    German,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Spanish,
    Swedish,
    Turkish,
}

impl Language {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All, by number.
    pub const ALL: [Self; 14] = [
        Self::English,
        Self::Danish,
        Self::Dutch,
        Self::Finnish,
        Self::French,
        Self::German,
        Self::Hungarian,
        Self::Italian,
        Self::Norwegian,
        Self::Portuguese,
        Self::Romanian,
        Self::Spanish,
        Self::Swedish,
        Self::Turkish,
    ];

    /// The language of a text: the one that most of its function words and letters are of, if they are enough and more
    /// than the English ones; else English. (Function words tell languages apart even in a
    /// short text: Grefenstette 1995, "Comparing two language identification schemes".)
    pub fn of(text: &str) -> Self {
        let mut votes = [0u32; Self::COUNT];
        let mut vote = |languages: u16, weight: u32| {
            for (at, votes) in votes.iter_mut().enumerate() {
                *votes += weight * u32::from(languages >> at & 1);
            }
        };
        let words = compact::words(text).take(ENOUGH).map(lowercase);
        let words: FxHashSet<String> = words.collect();
        let mut particles = 0;
        for word in &words {
            match PARTICLES.contains(&word.as_str()) {
                true => particles |= PROFILES.languages(word),
                false => vote(PROFILES.languages(word), WORD),
            }
        }
        vote(particles, PARTICLE);
        if !text.is_ascii() {
            let letters: FxHashSet<char> = text.chars().filter(|c| !c.is_ascii()).collect();
            for (alike, languages) in LETTERS {
                if alike.chars().any(|letter| letters.contains(&letter)) {
                    vote(languages.iter().fold(0, |all, one| all | one.bit()), LETTER);
                }
            }
        }
        let [english, ..] = votes;
        let best = Self::ALL
            .into_iter()
            .zip(votes)
            .rev()
            .max_by_key(|(_, votes)| *votes);
        best.filter(|(_, votes)| *votes >= LEAST && *votes > english)
            .map_or(Self::English, |(language, _)| language)
    }

    /// Whether a word in lower case only holds a sentence together.
    pub fn leaves_out(self, word: &str) -> bool {
        match self {
            Self::English => STOP_WORDS.binary_search(&word).is_ok(),
            other => PROFILES
                .function_words
                .get(word)
                .is_some_and(|languages| languages & other.bit() != 0),
        }
    }

    /// What is left of a word without what is joined to its front by an apostrophe, as `l'`.
    pub fn without_elision(self, word: &str) -> &str {
        match (self, word.split_once('\'')) {
            (Self::French | Self::Italian, Some((article, rest)))
                if article.len() <= 5 && !rest.is_empty() =>
            {
                rest
            }
            _ => word,
        }
    }

    pub(super) fn stemmer(self) -> Algorithm {
        match self {
            Self::English => Algorithm::English,
            Self::Danish => Algorithm::Danish,
            Self::Dutch => Algorithm::Dutch,
            Self::Finnish => Algorithm::Finnish,
            Self::French => Algorithm::French,
            Self::German => Algorithm::German,
            Self::Hungarian => Algorithm::Hungarian,
            Self::Italian => Algorithm::Italian,
            Self::Norwegian => Algorithm::Norwegian,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Romanian => Algorithm::Romanian,
            Self::Spanish => Algorithm::Spanish,
            Self::Swedish => Algorithm::Swedish,
            Self::Turkish => Algorithm::Turkish,
        }
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A word in lower case, with plain apostrophes and without the second dot that `İ` leaves.
pub(super) fn lowercase(word: &str) -> String {
    let word = compact::lowercase(word);
    match word.is_ascii() {
        true => word,
        false => word.replace('’', "'").replace('\u{307}', ""),
    }
}

static PROFILES: LazyLock<Profiles> = LazyLock::new(Profiles::new);

struct Profiles {
    /// The languages that have a function word, a bit each.
    function_words: FxHashMap<&'static str, u16>,
    english: FxHashSet<&'static str>,
}

impl Profiles {
    fn new() -> Self {
        let mut function_words: FxHashMap<&'static str, u16> = FxHashMap::default();
        for (language, words) in FUNCTION_WORDS {
            for word in words.split_whitespace() {
                *function_words.entry(word).or_default() |= language.bit();
            }
        }
        let english = STOP_WORDS.iter().copied().chain(ENGLISH.split_whitespace());
        Self {
            function_words,
            english: english.collect(),
        }
    }

    /// For which languages a word speaks. One that is English as well speaks for none but English, and not even for
    /// that if another has it.
    fn languages(&self, word: &str) -> u16 {
        let others = self.function_words.get(word).copied();
        match (self.english.contains(word), others) {
            (true, None) => Language::English.bit(),
            (true, Some(_)) => 0,
            (false, Some(others)) => others,
            (false, None) => match word.split_once('\'') {
                Some(("l" | "d", _)) => Language::French.bit() | Language::Italian.bit(),
                Some(("j" | "c" | "n" | "qu" | "s" | "m" | "t", _)) => Language::French.bit(),
                Some(("un" | "dell" | "nell" | "all" | "dall" | "sull" | "quest", _)) => {
                    Language::Italian.bit()
                }
                _ => 0,
            },
        }
    }
}

/// English words without a topic of their own, sorted.
pub(super) const STOP_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how",
    "i", "i'm", "if", "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "she", "so",
    "some", "that", "the", "their", "them", "they", "this", "to", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

/// More English words, which are no stop words or happen to be those of others.
const ENGLISH: &str = "all after also another any because before being best big come comes dog don't die far get \
    go good got great ha hi hello how's i'd i'll i've it's just know let like lot love made make man many men met \
    mine more most much need new no non not now off ok old once one only other out over own per plus pour really \
    say see sin son take than thanks that's there these thing think those time too two under up us use very via \
    want war well while yes yet you're dove sans van wow hey ah oh fond ham hen per sit sits era pro con vs es den \
    her hers hat hot then data unit";

/// Function words that are in names of people and places, wherever these are spoken of.
const PARTICLES: &[&str] = &[
    "da", "das", "de", "del", "den", "der", "des", "di", "do", "dos", "du", "el", "en", "la",
    "las", "le", "les", "los", "são", "ter", "van", "von",
];

/// Letters that few languages have.
const LETTERS: &[(&str, &[Language])] = {
    use Language::*;
    &[
        ("ß", &[German]),
        ("äÄ", &[German, Swedish, Finnish]),
        ("öÖ", &[German, Swedish, Finnish, Turkish, Hungarian]),
        ("üÜ", &[German, Turkish, Hungarian]),
        ("åÅ", &[Swedish, Danish, Norwegian]),
        ("æÆøØ", &[Danish, Norwegian]),
        ("ñÑ¿¡", &[Spanish]),
        ("ãÃõÕ", &[Portuguese]),
        ("çÇ", &[French, Portuguese, Turkish]),
        ("ğĞ", &[Turkish]),
        ("ıİ", &[Turkish]),
        ("şŞ", &[Turkish]),
        ("őŐűŰ", &[Hungarian]),
        ("áÁíÍúÚ", &[Hungarian, Spanish, Portuguese]),
        ("óÓ", &[Hungarian, Spanish, Portuguese]),
        ("ăĂ", &[Romanian]),
        ("țȚșȘţŢ", &[Romanian]),
        ("êÊôÔ", &[French, Portuguese]),
        ("èÈàÀùÙ", &[French, Italian]),
        ("ìÌòÒ", &[Italian]),
        ("œŒ", &[French]),
    ]
};

/// Words that hold sentences together. They are left out of texts in their language, and tell it.
const FUNCTION_WORDS: &[(Language, &str)] = &[
    (
        Language::Danish,
        "og i jeg det at en den til er som på de med han af for ikke der var mig sig men et har om vi min \
        havde ham hun nu over da fra du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind \
        når være dog noget ville jo deres efter ned skulle denne dette også under have dig anden hende mit alt sit \
        vores noget hvis hvem hvordan hvorfor hvornår hvilken meget bliver kan",
    ),
    (
        Language::Dutch,
        "de en van ik te dat die in een hij het niet zijn is was op aan met als voor had er maar om hem dan zou \
        wat mijn men dit zo door over ze zich bij ook tot je mij uit der daar haar naar heb hoe heeft hebben deze u want \
        nog zal me zij nu ge geen omdat iets worden toch al waren veel meer doen toen moet ben zonder kan hun dus alles \
        onder ja werd wezen kunnen ons hier wie waar wanneer waarom welke wij jij jouw onze",
    ),
    (
        Language::Finnish,
        "olla olen olet on olemme ovat oli olin ei en et se sen sitä että ja hän hänen minä minun minua minulla \
        sinä sinun me meidän te teidän he heidän tämä tämän tätä nämä joka jonka jotka mikä mitä missä mihin mistä milloin \
        miksi miten kuka ketä kun niin kuin mutta tai vai myös sekä vaan jos ole ollut nyt sitten kanssa siitä sinne \
        siellä tässä täällä hyvin paljon koska",
    ),
    (
        Language::French,
        "au aux avec ce ces dans de des du elle en et eux il ils je la le les leur lui ma mais me même mes moi mon \
        ne nos notre nous on ou où par pas pour qu que qui sa se ses son sur ta te tes toi ton tu un une vos votre vous \
        est es suis sommes êtes sont était étais étaient été avait avais ai as a avons avez ont sera cette cet quel \
        quelle quels quelles quand comment pourquoi très plus aussi chez y sans c'est j'ai qu'il",
    ),
    (
        Language::German,
        "aber als also am an auch auf aus bei bin bis bist da damit dann das dass daß dein deine dem den der des dich \
        die dir doch du durch ein eine einem einen einer eines er es für hat habe haben hatte hier ich ihm ihn ihnen ihr \
        ihre im in ist ja kann kein keine man mein meine meinem meinen meiner mich mir mit nach nicht noch nun nur ob oder \
        ohne sehr sein seine sich sie sind so um und uns unser unsere unter vom von vor war waren warum was weil welche \
        welcher welches wem wen wenn wer werden wie wieder wir wird wo wohin woher wurde zu zum zur über",
    ),
    (
        Language::Hungarian,
        "a az egy és hogy nem is ez azt ezt meg de volt van vagy mint csak már még mert ha el ki be le fel itt ott \
        én te ő mi ti ők nekem neked neki engem téged minden sem sok nagyon lesz lett voltam vagyok vannak voltak kell \
        lehet amikor ahol aki ami mit hol mikor miért hogyan melyik milyen után előtt alatt között szerint",
    ),
    (
        Language::Italian,
        "ad al allo ai agli alla alle con col coi da dal dallo dai dagli dalla dalle di del dello dei degli della \
        delle in nel nello nei negli nella nelle su sul sullo sui sugli sulla sulle per tra io tu lui lei noi voi loro mio \
        mia miei mie tuo tua suo sua nostro nostra vostro mi ti ci vi lo la li le gli ne il un uno una ma ed se perché \
        anche come dov dove che chi cui non più quale quali quando quanto questo questa questi queste quello quella sono è \
        e sei siamo ho hai ha abbiamo hanno era ero erano stato molto cosa",
    ),
    (
        Language::Norwegian,
        "og i jeg det at en et den til er som på de med han av ikke ikkje der så var meg seg men ett har om vi min \
        mitt ha hadde hun nå over da ved fra du ut sin dem oss opp man kan hans hvor eller hva skal selv sjøl her alle vil \
        bli ble blitt kunne inn når være kom noen noe ville dere deres kun ja etter ned skulle denne for deg si sine sitt \
        mot å meget hvorfor dette disse uten hvordan ingen din ditt blir samme hvilken hvem vår mange også",
    ),
    (
        Language::Portuguese,
        "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou \
        quando muito nos já eu também só pelo pela até isso ela entre depois sem mesmo aos seus quem nas me esse eles \
        você essa num nem suas meu às minha numa pelos elas qual nós lhe deles essas esses este dele tu te vocês meus \
        minhas teu tua nosso nossa está estou são foi tem tinha era onde porque quais estava tenho é",
    ),
    (
        Language::Romanian,
        "și în de la cu pe un o nu este sunt era am ai are au avea că să se mai din pentru care ce cine unde când cum \
        cât eu tu el ea noi voi ei ele mă te ne vă lui lor meu mea mei mele tău ta său sa nostru noastră dar sau iar dacă \
        după fără prin până la acest această aceste acel foarte fost fi va vor ar fost asta doar între despre îmi îți îi \
        si sa ca",
    ),
    (
        Language::Spanish,
        "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin \
        sobre este ya entre cuando todo esta ser son dos también fue había era muy hasta desde está mi porque qué sólo \
        han yo hay vez quien nos durante ni contra otros ese eso ante ellos e esto mí antes algunos unos otro otras él \
        tanto esa estos mucho quienes nada cuál cuáles donde dónde quién cuándo cómo estoy tengo tiene soy eres somos \
        nuestro nuestra tu te ti mis tus he",
    ),
    (
        Language::Swedish,
        "och det att i en jag hon som han på den med var sig för så till är men ett om hade de av icke mig du henne då \
        sin nu har inte hans honom skulle hennes där min man ej vid kunde något från ut när efter upp vi dem vara vad \
        över än dig kan sina här ha mot alla under någon eller allt mycket sedan ju denna själv detta åt utan varit hur \
        ingen mitt ni bli blev oss din dessa några deras blir mina samma vilken er sådan vår varför vem vilka ska vart",
    ),
    (
        Language::Turkish,
        "ve bir bu da de için ile çok ama ben sen o biz siz onlar benim senin onun bizim sizin onların bana sana ona \
        bize size beni seni onu ne nasıl neden niçin nerede nereye kim hangi kaç mi mı mu mü var yok değil gibi daha en \
        her hem ya ki şu şey kadar sonra önce olan olarak oldu olduğu ise veya diye bunu buna şimdi bile",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_numbered_in_order() {
        assert!(
            Language::ALL
                .iter()
                .enumerate()
                .all(|(at, one)| *one as usize == at)
        );
    }

    #[test]
    fn texts_are_told_apart() {
        for (language, text) in [
            (
                Language::German,
                "Wir haben uns gestern zwei Häuser am See angesehen.",
            ),
            (Language::German, "Wo ist das Haus?"),
            (Language::French, "J'aime beaucoup les chevaux et la mer."),
            (
                Language::French,
                "Nous avons vu les chevaux de ma tante dans le pré.",
            ),
            (
                Language::Spanish,
                "Mis hermanas viven en una casa cerca del mar.",
            ),
            (Language::Spanish, "¿Dónde viven mis hermanas?"),
            (
                Language::Italian,
                "Ho comprato due libri nella libreria del centro.",
            ),
            (
                Language::Portuguese,
                "Eu não gosto muito de café, mas a minha irmã gosta.",
            ),
            (
                Language::Dutch,
                "Ik heb gisteren met mijn zus een fiets gekocht.",
            ),
            (
                Language::Swedish,
                "Jag har köpt en ny cykel till min syster.",
            ),
            (
                Language::Danish,
                "Jeg har købt en cykel af min søster, og hun blev glad.",
            ),
            (
                Language::Norwegian,
                "Jeg har kjøpt en sykkel av søsteren min, og nå blir hun glad.",
            ),
            (
                Language::Finnish,
                "Minä olen ostanut uuden polkupyörän ja se on punainen.",
            ),
            (
                Language::Hungarian,
                "Tegnap vettem egy új biciklit, és nagyon szeretem.",
            ),
            (
                Language::Romanian,
                "Am cumpărat o bicicletă pentru sora mea și este roșie.",
            ),
            (
                Language::Turkish,
                "Dün kardeşim için kırmızı bir bisiklet aldım.",
            ),
        ] {
            assert_eq!(Language::of(text), language, "{text}");
        }
    }

    #[test]
    fn english_is_not_mistaken() {
        for text in [
            "",
            "Thanks!",
            "No way, me too",
            "The die was cast in the war, man.",
            "We watched La La Land and La Casa de Papel at my son's place.",
            "Met Zoë at Café de Flore in São Paulo",
            "Per our data, all men sit on a mat",
            "The 1990s were an era of Dan and Van Halen, hi!",
            "let x = foo::bar(de, en);",
            "Das Boot is a great film",
            "Les Misérables is on at El Dorado",
        ] {
            assert_eq!(Language::of(text), Language::English, "{text}");
        }
    }
}
