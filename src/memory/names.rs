//! How people name things: the words that stand for the owner and the agent, articles and possessives that
//! do not belong to a name, and words of kinship before one. In the languages that are spoken most.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::Speaker;
use crate::compact::{lower, lowercase, nfkc};

/// The form of a name under which two spellings are the same entity: NFKC, lower case, single
/// spaces, without surrounding punctuation but for what closes a qualifier: `john (brother)`.
pub fn normalize_name(name: &str) -> String {
    let folded: String = nfkc(name)
        .chars()
        .map(|c| if c == '’' { '\'' } else { c })
        .flat_map(lower)
        .collect();
    let words = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut name = words
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_owned();
    if name.contains('(') && words.ends_with(')') {
        name.push(')');
    }
    name
}

/// The [`normalize_name`] of a name without articles and without the owner's possessives: `the Tokyo
/// trip` and `my Tokyo trip` are `tokyo trip`.
pub fn plain_name(name: &str) -> String {
    normalize_name(bare(name))
}

/// A name without the articles before it, as written.
pub fn without_article(name: &str) -> &str {
    strip(name, false)
}

/// `Melanie` and `my sister`, of `my sister Melanie`.
pub fn kinship_and_name(name: &str) -> Option<(&str, &str)> {
    let name = name.trim();
    let of_owner = bare(name);
    if of_owner.len() == without_article(name).len() {
        return None;
    }
    let (mut role, mut rest) = of_owner.split_once(' ')?;
    if lowercase(role) == "best" {
        (role, rest) = rest.split_once(' ')?;
    }
    let is_name = |c: char| c.is_alphabetic() && !c.is_lowercase();
    let is_kin = KINSHIP.split_whitespace().any(|kin| kin == lowercase(role));
    let rest = rest.trim();
    (is_kin && rest.starts_with(is_name)).then(|| {
        let role = name.get(..name.len() - rest.len()).unwrap_or(role);
        (role.trim(), rest)
    })
}

/// Whom a name stands for, when it names the owner or the agent rather than calls them by name. Words in
/// capitals are not: `EU` is not the Portuguese `eu`.
pub fn pronoun(name: &str) -> Option<Speaker> {
    let name = name.trim();
    let normalized = normalize_name(name);
    let named = NAMED.get(normalized.as_str()).copied();
    let letters = name.chars().filter(|c| c.is_alphabetic());
    let is_abbreviation = letters.clone().count() > 1 && letters.clone().all(char::is_uppercase);
    match named {
        Some(Named::Agent) => Some(Speaker::Assistant),
        Some(Named::Owner) => Some(Speaker::User),
        Some(Named::FirstPerson) if !is_abbreviation => Some(Speaker::User),
        _ => None,
    }
}

/// What a word names that stands for one of the two.
#[derive(Debug, Clone, Copy)]
enum Named {
    Agent,
    Owner,
    FirstPerson,
}

static NAMED: LazyLock<FxHashMap<&'static str, Named>> = LazyLock::new(|| {
    let lists = [
        (FIRST_PERSON, Named::FirstPerson),
        (OWNER, Named::Owner),
        (AGENT, Named::Agent),
    ];
    let words = lists.iter();
    words
        .flat_map(|(list, named)| list.split('|').map(|word| (word, *named)))
        .collect()
});

const FIRST_PERSON: &str = "i|me|myself|ich|mich|mir|je|moi|yo|mí|io|eu|ik|mij|ja|jag|jeg|minä|я|меня|мне|我|\
                            私|わたし|僕|俺|나|저|أنا|मैं|tôi|saya|аз|én|eu mesmo";

const OWNER: &str = "user|the user|user's|der nutzer|die nutzerin|nutzer|nutzerin|der benutzer|die benutzerin|\
                     benutzer|benutzerin|utilisateur|utilisatrice|l'utilisateur|l'utilisatrice|usuario|usuaria|\
                     el usuario|la usuaria|usuário|usuária|o usuário|a usuária|utilizador|o utilizador|utente|\
                     l'utente|gebruiker|de gebruiker|użytkownik|użytkowniczka|пользователь|пользовательница|\
                     användaren|användare|brugeren|brukeren|käyttäjä|kullanıcı|uživatel|用户|用戶|使用者|ユーザー|\
                     ユーザ|사용자|유저|المستخدم|उपयोगकर्ता|người dùng|pengguna|felhasználó";

const AGENT: &str = "assistant|the assistant|the ai|der assistent|die assistentin|l'assistant|l'assistante|\
                     el asistente|la asistente|asistente|l'assistente|o assistente|de assistent|asystent|ассистент|\
                     助手|アシスタント|어시스턴트|المساعد";

/// Articles and possessives that are one however they are written.
const ANY_CASE: &str = "the my our user's";

/// Those that are one only in lower case: `la dieta`, but `La Paz` and `Mia`.
const ARTICLES: &str = "a an this der die das den dem des ein eine einen einem einer le la les un une des el los las \
                        una il lo gli uno o os as um uma de het een l' d'";
const POSSESSIVES: &str = "mein meine meinen meiner meinem unser unsere mon ma mes notre nos mi mis nuestro nuestra \
                           mio mia miei mie meu minha meus minhas mijn onze mój moja moje мой моя моё мои min mitt";

/// Possessives that are written together with what follows.
const PREFIXES: [&str; 9] = [
    "私の",
    "僕の",
    "俺の",
    "わたしの",
    "ユーザーの",
    "我的",
    "用户的",
    "내 ",
    "나의 ",
];

/// Without articles and the owner's possessives.
fn bare(name: &str) -> &str {
    strip(name, true)
}

fn strip(name: &str, with_possessives: bool) -> &str {
    let mut rest = name.trim();
    for _ in 0..3 {
        let shorter = strip_one(rest, with_possessives);
        if shorter.len() == rest.len() {
            break;
        }
        rest = shorter;
    }
    rest
}

fn strip_one(name: &str, with_possessives: bool) -> &str {
    if with_possessives {
        for prefix in PREFIXES {
            if let Some(rest) = name.strip_prefix(prefix)
                && !rest.trim().is_empty()
            {
                return rest.trim();
            }
        }
    }
    for elided in ["l'", "l’", "d'", "d’"] {
        if let Some(rest) = name.strip_prefix(elided)
            && rest.starts_with(char::is_alphabetic)
        {
            return rest;
        }
    }
    let Some((first, rest)) = name.split_once(char::is_whitespace) else {
        return name;
    };
    let first = first.replace('’', "'");
    let is_among = |words: &str, word: &str| words.split_whitespace().any(|other| other == word);
    let lower = lowercase(&first);
    let is_article = lower == "the" || is_among(ARTICLES, &first);
    let is_possessive =
        (lower != "the" && is_among(ANY_CASE, &lower)) || is_among(POSSESSIVES, &first);
    let rest = rest.trim();
    let strips = is_article || (is_possessive && with_possessives);
    match strips && rest.chars().any(char::is_alphanumeric) {
        true => rest,
        false => name,
    }
}

const KINSHIP: &str = "\
mother mom mum mama father dad papa parent sister brother sibling son daughter child wife husband spouse partner \
girlfriend boyfriend fiancé fiancée ex grandmother grandma grandfather grandpa aunt uncle cousin niece nephew friend \
boss manager colleague coworker neighbour neighbor roommate flatmate teacher doctor therapist coach dog cat \
mutter vater schwester bruder sohn tochter frau mann partnerin freund freundin oma opa großmutter großvater tante onkel \
cousine neffe nichte chef chefin kollege kollegin nachbar nachbarin hund katze \
mère maman père soeur sœur frère fils fille femme mari compagne compagnon copain copine grand-mère grand-père oncle \
neveu nièce ami amie patron patronne collègue voisin voisine chien chat \
madre mamá padre papá hermana hermano hijo hija esposa esposo mujer marido novia novio pareja abuela abuelo tía tío \
prima primo sobrina sobrino amiga amigo jefa jefe colega vecina vecino perro perra gato gata \
mamma papà sorella fratello figlio figlia moglie marito compagna compagno fidanzata fidanzato nonna nonno zia zio \
cugina cugino amica amico capo collega vicina vicino cane gatto \
mãe pai irmã irmão filho filha namorada namorado avó avô tia tio chefe vizinha vizinho cão cachorro \
moeder vader zus broer zoon dochter vrouw man vriend vriendin oom neef nicht baas buurman buurvrouw hond kat \
tata siostra brat żona mąż syn córka babcia dziadek ciocia wujek przyjaciel przyjaciółka szef szefowa \
мама папа сестра брат жена муж сын дочь бабушка дедушка тётя дядя друг подруга";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_agree() {
        assert_eq!(normalize_name("  San   Francisco. "), "san francisco");
        assert_eq!(normalize_name("ＴＯＫＹＯ"), "tokyo");
        assert_eq!(normalize_name("東京"), "東京");
        assert_eq!(normalize_name("John  (Brother)"), "john (brother)");
        for (written, plain) in [
            ("the Tokyo trip", "tokyo trip"),
            ("The Tokyo trip", "tokyo trip"),
            ("my Tokyo trip", "tokyo trip"),
            ("user's sister", "sister"),
            ("the user’s sister", "sister"),
            ("meine Schwester", "schwester"),
            ("l'appartement", "appartement"),
            ("mi abuela", "abuela"),
            ("私の妹", "妹"),
            ("La Paz", "la paz"),
            ("Mia Wallace", "mia wallace"),
            ("Los Angeles", "los angeles"),
            ("Die Zeit", "die zeit"),
            ("The", "the"),
        ] {
            assert_eq!(plain_name(written), plain, "{written}");
        }
    }

    #[test]
    fn the_owner_and_the_agent_are_known_in_any_language() {
        for name in [
            "I",
            "me",
            "User",
            "the user",
            "ich",
            "Je",
            "yo",
            "eu",
            "io",
            "我",
            "私",
            "나",
            "La usuaria",
            "der Nutzer",
            "l’utilisateur",
            "ユーザー",
        ] {
            assert_eq!(pronoun(name), Some(Speaker::User), "{name}");
        }
        for name in ["Assistant", "the AI", "助手"] {
            assert_eq!(pronoun(name), Some(Speaker::Assistant), "{name}");
        }
        for name in ["EU", "Ben", "AI", "my assistant", "Maya"] {
            assert_eq!(pronoun(name), None, "{name}");
        }
    }

    #[test]
    fn words_of_kinship_come_off_a_name() {
        for (written, parts) in [
            ("my sister Melanie", Some(("my sister", "Melanie"))),
            (
                "User's best friend Tom",
                Some(("User's best friend", "Tom")),
            ),
            ("mi abuela Rosa", Some(("mi abuela", "Rosa"))),
            (
                "meine Schwester Anna Lena",
                Some(("meine Schwester", "Anna Lena")),
            ),
            ("my sister", None),
            ("my sister in law", None),
            ("Sister Act", None),
            ("my Tokyo trip", None),
        ] {
            assert_eq!(kinship_and_name(written), parts, "{written}");
        }
    }
}
