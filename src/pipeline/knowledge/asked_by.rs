//! How questions ask for a relation: seldom by its predicate.

/// Words by which a question asks for what a predicate says, besides those of the predicate.
pub(super) fn asked_by(predicate: &str) -> &'static str {
    let known = ASKED_BY.iter().find(|(known, _)| *known == predicate);
    known.map_or("", |(_, words)| words)
}

const ASKED_BY: &[(&str, &str)] = &[
    (
        "allergic_to",
        "allergy allergies diet dietary food eat meal menu cook",
    ),
    (
        "diet",
        "dietary food eat eating meal menu cook vegetarian vegan",
    ),
    ("lives_in", "home house city town address residence move"),
    ("address", "home house street live"),
    ("works_at", "job employer company office workplace"),
    ("works_as", "job profession occupation role career"),
    ("studies_at", "school university college"),
    ("studies", "subject degree major"),
    ("married_to", "wife husband spouse partner"),
    ("engaged_to", "fiancé fiancée partner wedding"),
    ("partner_of", "girlfriend boyfriend relationship"),
    ("relationship_status", "married single partner"),
    ("birthday", "born age old"),
    ("born_in", "birthplace"),
    ("comes_from", "country origin"),
    ("nationality", "country passport citizenship"),
    ("has_pet", "animal dog cat"),
    ("drives", "car vehicle"),
    ("sibling_of", "sister brother"),
    ("parent_of", "child children son daughter kid"),
    ("learns", "lesson language course"),
    ("visited", "trip travel went vacation holiday"),
    ("plans", "trip future"),
    ("reports_to", "boss manager"),
];
