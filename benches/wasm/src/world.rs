//! A made-up circle of people, companies, towns and pastimes: what a model could have extracted from a conversation
//! about them, and questions. Nothing of it is real, and the same seed always gives the same.

use serde_json::{Value, json};

const PEOPLE: usize = 450;
const COMPANIES: usize = 200;
const TOWNS: usize = 120;

/// Of so many facts one has a date, and one is an instruction or a preference that always applies.
const DATED: usize = 6;
const STANDING: usize = 50;
/// Of so many relations one is the owner's.
const OF_THE_OWNER: usize = 7;

const FIRST_NAMES: &str = "Ada Alba Amir Anouk Arne Bela Bjorn Carla Cyrus Dalia Dario Edda Elias Enzo Esra Fadi Flora \
    Gero Greta Hanna Henrik Ilse Imani Ivan Jana Jonas Judith Kaan Kira Lara Leif Lena Luca Mara Marek Milan Mira Nadia \
    Nils Nora Olga Oskar Paula Pavel Rania Remo Rosa Samir Selma Silas Tamar Theo Tilda Udo Vera Viktor Wanda Yara Yusuf Zoe";
const FAMILY_NAMES: &str = "Abel Adler Bach Banda Berg Brandt Cato Conti Dahl Diaz Ebert Engel Falk Farkas Fischer Gallo \
    Garcia Haas Hansen Horvat Ito Jansen Jung Kaya Keller Koch Kovacs Lang Lindt Lopez Maier Marti Mohr Moreau Nagy Novak \
    Okoye Olsen Osei Park Petrov Quint Rahman Rossi Roth Sato Schmid Silva Sommer Tanaka Thoma Urban Vogel Wagner Weiss \
    Winter Wolf Yilmaz Zeller Zimmer";
const SYLLABLES: &str = "ar bel cor dan el fin gar hol in jor kal lum mon nor os pel quar ran sol tor ul ven wil xan yor zel";
const PASTIMES: &str = "archery baking birdwatching bouldering calligraphy canoeing ceramics chess cycling darts diving \
    embroidery fencing gardening hiking judo kayaking knitting painting photography pottery rowing sailing sculpting \
    skating surfing swimming tennis woodworking yoga";
const MONTHS: &str =
    "January February March April May June July August September October November December";

/// A small generator of numbers that look random: xorshift64*.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        high as usize % sides.max(1)
    }

    fn pick<'a>(&mut self, from: &'a [String]) -> &'a str {
        let at = self.roll(from.len());
        from.get(at).map_or("", String::as_str)
    }

    /// The earlier ones much more often: some are spoken of all the time.
    fn pick_known<'a>(&mut self, from: &'a [String]) -> &'a str {
        let share = self.roll(1_000) as f64 / 1_000.0;
        let at = (share.powi(3) * from.len() as f64) as usize;
        from.get(at).map_or("", String::as_str)
    }
}

/// What is said in one message, and what a model made of it.
pub(crate) struct Said {
    pub message: String,
    /// A fact as extraction answers it, but for its source.
    pub fact: Value,
}

/// Who and what there is.
#[derive(Debug)]
pub(crate) struct World {
    people: Vec<String>,
    companies: Vec<String>,
    towns: Vec<String>,
    pastimes: Vec<String>,
    dice: Dice,
    told: usize,
}

/// One relation, as extraction answers it and in words.
struct Stated {
    relation: Value,
    entities: Vec<Value>,
    words: String,
}

fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.max(1));
        let (first, family) = (words(FIRST_NAMES), words(FAMILY_NAMES));
        let syllables = words(SYLLABLES);
        let person = |dice: &mut Dice| format!("{} {}", dice.pick(&first), dice.pick(&family));
        let place = |dice: &mut Dice, end: &str| {
            let name = format!("{}{}{end}", dice.pick(&syllables), dice.pick(&syllables));
            let mut letters = name.chars();
            let initial = letters.next().into_iter().flat_map(char::to_uppercase);
            initial.chain(letters.clone()).collect::<String>()
        };
        Self {
            people: distinct(PEOPLE, || person(&mut dice)),
            companies: distinct(COMPANIES, || place(&mut dice, "tec")),
            towns: distinct(TOWNS, || place(&mut dice, "ville")),
            pastimes: words(PASTIMES),
            dice,
            told: 0,
        }
    }

    /// Somebody says a sentence, and something about somebody.
    pub fn tell(&mut self, sentence: &str) -> Said {
        self.told += 1;
        let is_standing = self.told.is_multiple_of(STANDING);
        let count = 1 + self.dice.roll(3) / 2;
        let mut stated: Vec<Stated> = (0..count).map(|_| self.state()).collect();
        let mut said: Vec<String> = stated
            .iter_mut()
            .map(|it| std::mem::take(&mut it.words))
            .collect();
        let mut date = Value::Null;
        if self.dice.roll(DATED) == 0 {
            let (month, year) = (self.dice.roll(12), 2021 + self.dice.roll(3));
            date = json!(format!("{year}-{:02}", month + 1));
            said.push(format!("That was in {} {year}.", month_named(month)));
        }
        let mut situation = Value::Null;
        if is_standing {
            let pastime = self.dice.pick(&self.pastimes);
            said.push(format!(
                "Always answer in a few words when it is about {pastime}."
            ));
            situation = json!(format!("talking about {pastime}"));
        }
        let said = said.join(" ");
        let relations: Vec<&Value> = stated.iter().map(|it| &it.relation).collect();
        let entities: Vec<&Value> = stated.iter().flat_map(|it| &it.entities).collect();
        let fact = json!({
            "text": format!("{said} {sentence}"),
            "category": "misc",
            "attributed_to": "user",
            "valid_from": date,
            "valid_to": null,
            "standing": is_standing,
            "applies_when": situation,
            "entities": entities,
            "relations": relations,
        });
        Said {
            message: format!("{sentence} {said}"),
            fact,
        }
    }

    fn state(&mut self) -> Stated {
        let dice = &mut self.dice;
        let (subject, of_subject) = match dice.roll(OF_THE_OWNER) {
            0 => ("user", "I"),
            _ => {
                let person = dice.pick_known(&self.people);
                (person, person)
            }
        };
        let mut predicates = match dice.roll(20) {
            0..7 => ("friend_of", "am a friend of", "is a friend of", "person"),
            7..10 => ("met", "met", "met", "person"),
            10..13 => ("visited", "visited", "visited", "place"),
            13..16 => ("likes", "like", "likes", "activity"),
            16..18 => ("works_at", "work at", "works at", "organization"),
            18 => ("lives_in", "moved to", "moved to", "place"),
            _ => ("located_in", "", "has its seat in", "place"),
        };
        let (mut subject, mut of_subject, mut kind) = (subject, of_subject, "person");
        if predicates.0 == "located_in" {
            subject = dice.pick(&self.companies);
            (of_subject, kind) = (subject, "organization");
        } else if subject == "user" {
            predicates.2 = predicates.1;
        }
        let (predicate, _, phrase, kind_of_object) = predicates;
        let object = match kind_of_object {
            "person" => dice.pick(&self.people),
            "place" => dice.pick_known(&self.towns),
            "activity" => dice.pick(&self.pastimes),
            _ => dice.pick(&self.companies),
        };
        let entity = |name: &str, kind: &str| json!({"name": name, "type": kind, "aliases": []});
        Stated {
            relation: json!({"subject": subject, "predicate": predicate, "object": object}),
            entities: vec![entity(subject, kind), entity(object, kind_of_object)],
            words: format!("{of_subject} {phrase} {object}."),
        }
    }

    /// A question of a kind; `None` when there is no such kind.
    pub fn ask(&mut self, kind: &str) -> Option<String> {
        let dice = &mut self.dice;
        let person = dice.pick_known(&self.people).to_owned();
        let other = dice.pick_known(&self.people).to_owned();
        let town = dice.pick_known(&self.towns).to_owned();
        let company = dice.pick(&self.companies).to_owned();
        let pastime = dice.pick(&self.pastimes).to_owned();
        let month = month_named(dice.roll(12));
        let year = 2021 + dice.roll(3);
        let choice = dice.roll(5);
        Some(match (kind, choice) {
            ("one name", 0) => format!("Where does {person} work?"),
            ("one name", 1) => format!("What do you know about {person}?"),
            ("one name", 2) => format!("Who works at {company}?"),
            ("one name", 3) => format!("Who was in {town}?"),
            ("one name", _) => format!("Which friends of {person} like {pastime}?"),
            ("two names", 0) => format!("How do {person} and {other} know each other?"),
            ("two names", 1) => format!("Did {person} visit {town}?"),
            ("two names", 2) => format!("Does {person} work at {company}?"),
            ("two names", 3) => format!("What do {person} and {other} have in common?"),
            ("two names", _) => format!("Who at {company} has been in {town}?"),
            ("time", 0) => format!("When did {person} visit {town}?"),
            ("time", 1) => format!("Who did {person} meet before the move to {town}?"),
            ("time", 2) => format!("What happened in {town} in {month} {year}?"),
            ("time", 3) => format!("Who went to {town} in {year}?"),
            ("time", _) => format!("Where does {person} work now?"),
            ("owner", 0) => "Where do I live?".to_owned(),
            ("owner", 1) => format!("Did I tell you about {pastime}?"),
            ("owner", 2) => format!("Who of my friends lives in {town}?"),
            ("owner", 3) => format!("How do I know {person}?"),
            ("owner", _) => "What do I like to do on weekends?".to_owned(),
            _ => return None,
        })
    }
}

fn month_named(month: usize) -> &'static str {
    MONTHS.split_whitespace().nth(month).unwrap_or_default()
}

fn distinct(count: usize, mut make: impl FnMut() -> String) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    while all.len() < count {
        let one = make();
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}
