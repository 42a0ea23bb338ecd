//! The vocabulary of relations: which words say the same, which hold one value at a time, which read the
//! same from both ends. What is not in it is kept as it was said.

/// A predicate as it was stated, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The word for it.
    pub predicate: String,
    /// It was said from the other end: subject and object change places.
    pub swapped: bool,
    /// It is over: `moved_from`, `used_to_like`.
    pub over: bool,
    /// Its time is that of a change, not of a state: `moved_to`, `moved_from`.
    pub is_change: bool,
}

/// What a predicate says of names, rather than of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// The subject goes by another name from now on.
    Renamed,
    /// The subject has one more name.
    Alias,
}

/// Properties of a word.
#[derive(Clone, Copy)]
struct Nature(u8);

/// It has one value at a time.
const SINGLE: u8 = 1;
/// It reads the same from both ends.
const SYMMETRIC: u8 = 2;
/// It does not end by not being said again.
const LASTING: u8 = 4;
/// It lasts, and holds from before anything that is told.
const INBORN: u8 = LASTING | 8;

/// A word, what it is, other words for it, words for it from the other end, words for its having ended.
type Row = (&'static str, u8, &'static str, &'static str, &'static str);

const VOCABULARY: &[Row] = &[
    (
        "lives_in",
        SINGLE,
        "live_in living_in lives_at live_at resides_in reside_in residing_in residence home_city lives city based_in \
         located_at_home settled_in moved_to moves_to relocated_to moving_to_live_in home_is_in home",
        "",
        "moved_from moved_away_from moved_out_of lived_in left_city relocated_from resided_in former_residence",
    ),
    (
        "works_at",
        SINGLE,
        "work_at works_for work_for working_at working_for employed_by employed_at employer joined_company \
         started_working_at started_job_at company has_employer job_at hired_by",
        "employs hired has_employee",
        "worked_at worked_for quit_job_at left_company left_job_at resigned_from fired_from laid_off_from retired_from \
         former_employer",
    ),
    (
        "works_as",
        SINGLE,
        "work_as working_as job job_title has_job role profession occupation works_as_a is_employed_as position \
         promoted_to career job_position has_profession has_occupation employed_as",
        "",
        "worked_as former_job previous_role",
    ),
    (
        "studies_at",
        SINGLE,
        "study_at studying_at attends_university attends_school enrolled_at enrolled_in_school student_at",
        "has_student",
        "studied_at graduated_from attended alma_mater dropped_out_of",
    ),
    (
        "studies",
        0,
        "study studying majors_in major field_of_study",
        "",
        "studied",
    ),
    (
        "married_to",
        SINGLE | SYMMETRIC | LASTING,
        "married spouse spouse_of wife_of husband_of has_wife has_husband has_spouse wife husband wed_to",
        "",
        "divorced_from divorced separated_from_spouse was_married_to ex_wife ex_husband ex_wife_of ex_husband_of \
         ex_spouse ex_spouse_of widowed_from widow_of widower_of has_ex_wife has_ex_husband",
    ),
    (
        "engaged_to",
        SINGLE | SYMMETRIC | LASTING,
        "fiance_of fiancee_of fiancé_of fiancée_of has_fiance has_fiancee",
        "",
        "broke_off_engagement_with",
    ),
    (
        "partner_of",
        SINGLE | SYMMETRIC | LASTING,
        "partner has_partner dating in_relationship_with in_a_relationship_with girlfriend_of boyfriend_of girlfriend \
         boyfriend has_girlfriend has_boyfriend together_with",
        "",
        "broke_up_with separated_from ex_partner ex_partner_of ex_girlfriend ex_boyfriend ex_girlfriend_of \
         ex_boyfriend_of has_ex_partner",
    ),
    (
        "relationship_status",
        SINGLE,
        "marital_status civil_status has_relationship_status",
        "",
        "",
    ),
    (
        "diet",
        SINGLE,
        "has_diet dietary_preference follows_diet eats_diet dietary_restriction_type is_on_diet keeps_diet",
        "",
        "",
    ),
    ("age", SINGLE, "has_age aged is_aged years_old", "", ""),
    (
        "name",
        SINGLE | LASTING,
        "has_name full_name first_name name_is",
        "",
        "",
    ),
    (
        "birthday",
        SINGLE | INBORN,
        "born_on date_of_birth birth_date birthdate has_birthday birthday_on",
        "",
        "",
    ),
    (
        "born_in",
        SINGLE | INBORN,
        "birthplace place_of_birth birth_place born_at",
        "",
        "",
    ),
    (
        "comes_from",
        INBORN,
        "from is_from hails_from hometown originally_from native_of grew_up_in",
        "",
        "",
    ),
    (
        "nationality",
        LASTING,
        "citizen_of has_nationality citizenship",
        "",
        "",
    ),
    (
        "phone",
        SINGLE,
        "phone_number telephone has_phone_number mobile mobile_number has_phone",
        "",
        "",
    ),
    (
        "email",
        SINGLE,
        "email_address e_mail has_email mail_address",
        "",
        "",
    ),
    (
        "address",
        SINGLE,
        "home_address has_address postal_address",
        "",
        "",
    ),
    (
        "drives",
        SINGLE,
        "drive driving has_car drives_car drives_a",
        "",
        "drove",
    ),
    (
        "sister_of",
        INBORN,
        "is_sister_of sister_to",
        "has_sister sister",
        "",
    ),
    (
        "brother_of",
        INBORN,
        "is_brother_of brother_to",
        "has_brother brother",
        "",
    ),
    (
        "sibling_of",
        SYMMETRIC | INBORN,
        "sibling has_sibling twin_of",
        "",
        "",
    ),
    (
        "mother_of",
        INBORN,
        "is_mother_of mom_of mum_of",
        "has_mother mother",
        "",
    ),
    (
        "father_of",
        INBORN,
        "is_father_of dad_of",
        "has_father father",
        "",
    ),
    (
        "parent_of",
        INBORN,
        "is_parent_of has_child has_kid child",
        "child_of has_parent parent kid_of",
        "",
    ),
    ("son_of", INBORN, "is_son_of", "has_son son", ""),
    (
        "daughter_of",
        INBORN,
        "is_daughter_of",
        "has_daughter daughter",
        "",
    ),
    (
        "grandmother_of",
        INBORN,
        "grandma_of",
        "has_grandmother grandmother has_grandma",
        "",
    ),
    (
        "grandfather_of",
        INBORN,
        "grandpa_of",
        "has_grandfather grandfather has_grandpa",
        "",
    ),
    (
        "grandparent_of",
        INBORN,
        "has_grandchild",
        "grandchild_of has_grandparent",
        "",
    ),
    ("aunt_of", INBORN, "", "has_aunt aunt", ""),
    ("uncle_of", INBORN, "", "has_uncle uncle", ""),
    ("niece_of", INBORN, "", "has_niece niece", ""),
    ("nephew_of", INBORN, "", "has_nephew nephew", ""),
    ("cousin_of", SYMMETRIC | INBORN, "cousin has_cousin", "", ""),
    (
        "friend_of",
        SYMMETRIC | LASTING,
        "friend friends_with has_friend best_friend best_friend_of is_friends_with",
        "",
        "",
    ),
    (
        "colleague_of",
        SYMMETRIC | LASTING,
        "colleague has_colleague coworker coworker_of works_with has_coworker",
        "",
        "",
    ),
    (
        "neighbor_of",
        SYMMETRIC | LASTING,
        "neighbour_of neighbor neighbour has_neighbor has_neighbour lives_next_to",
        "",
        "",
    ),
    (
        "roommate_of",
        SYMMETRIC | LASTING,
        "roommate has_roommate flatmate_of lives_with shares_flat_with",
        "",
        "",
    ),
    (
        "reports_to",
        SINGLE,
        "managed_by has_manager manager has_boss boss supervised_by",
        "manages manager_of boss_of supervises",
        "",
    ),
    (
        "has_pet",
        LASTING,
        "pet has_dog has_cat owns_pet owns_dog owns_cat",
        "pet_of dog_of cat_of",
        "",
    ),
    (
        "owns",
        0,
        "own possesses has_bought bought",
        "owned_by belongs_to",
        "sold owned gave_away",
    ),
    (
        "allergic_to",
        LASTING,
        "allergy has_allergy allergy_to has_allergy_to allergies",
        "",
        "outgrew_allergy_to",
    ),
    (
        "likes",
        0,
        "like enjoys enjoy loves love fond_of is_fond_of fan_of",
        "liked_by",
        "liked loved enjoyed",
    ),
    (
        "dislikes",
        0,
        "dislike hates hate does_not_like doesn_t_like not_fond_of",
        "",
        "disliked hated",
    ),
    (
        "prefers",
        0,
        "prefer has_preference preference preferred",
        "",
        "",
    ),
    ("speaks", 0, "speaks_language speak language", "", ""),
    (
        "learns",
        0,
        "learning learn is_learning takes_lessons_in",
        "",
        "stopped_learning",
    ),
    (
        "teaches",
        0,
        "teacher_of",
        "taught_by has_teacher",
        "taught",
    ),
    ("plays", 0, "play playing", "", "played stopped_playing"),
    (
        "plans",
        0,
        "plan planning plans_to planned intends intends_to",
        "",
        "cancelled canceled gave_up_plan",
    ),
    (
        "visited",
        LASTING,
        "has_visited travelled_to traveled_to went_to been_to has_been_to",
        "",
        "",
    ),
    (
        "located_in",
        LASTING,
        "located_at is_in situated_in part_of_city",
        "location_of",
        "",
    ),
    ("is_a", LASTING, "type_of kind_of instance_of breed", "", ""),
    (
        "member_of",
        0,
        "belongs_to_group part_of_group",
        "has_member",
        "left_group",
    ),
];

/// Words that say how a name changes.
const RENAMED: &str =
    "renamed_to renamed changed_name_to now_called is_now_called now_goes_by new_name";
const ALIAS: &str = "also_known_as aka called is_called goes_by known_as nickname nicknamed has_nickname alias \
                     also_called short_name named is_named \
                     formerly_known_as formerly_called previously_called";

/// Words in front of a predicate that say that it is over.
const OVER: [&str; 9] = [
    "no_longer_",
    "used_to_",
    "formerly_",
    "previously_",
    "former_",
    "was_previously_",
    "once_",
    "has_stopped_",
    "not_any_more_",
];

/// Those of them after which the time is that of the end.
const ENDS: [&str; 3] = ["no_longer_", "has_stopped_", "not_any_more_"];

/// Words in front of a predicate that say nothing more.
const FILLERS: [&str; 8] = [
    "is_currently_",
    "currently_",
    "now_",
    "is_now_",
    "is_",
    "are_",
    "has_been_",
    "also_",
];

/// Words whose time is the time of a change.
const CHANGES: &str = "moved_to moves_to relocated_to moved_from moved_away_from moved_out_of left_city relocated_from \
                       joined_company started_working_at started_job_at quit_job_at left_company left_job_at \
                       resigned_from fired_from laid_off_from retired_from promoted_to graduated_from dropped_out_of \
                       divorced_from divorced separated_from_spouse widowed_from broke_up_with separated_from \
                       broke_off_engagement_with sold gave_away cancelled canceled gave_up_plan \
                       outgrew_allergy_to stopped_learning stopped_playing left_group";

fn is_among(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|other| other == word)
}

/// Reads a predicate in snake_case.
pub fn read(predicate: &str) -> Stated {
    if let Some(stated) = look_up(predicate) {
        return stated;
    }
    for prefix in OVER {
        if let Some(rest) = predicate
            .strip_prefix(prefix)
            .filter(|rest| !rest.is_empty())
        {
            let read = read(rest);
            return Stated {
                over: true,
                is_change: read.is_change || ENDS.contains(&prefix),
                ..read
            };
        }
    }
    for prefix in FILLERS {
        if let Some(rest) = predicate.strip_prefix(prefix)
            && let Some(stated) = look_up(rest)
        {
            return stated;
        }
    }
    let word = match predicate.strip_prefix("favourite_") {
        Some(rest) => format!("favorite_{rest}"),
        None => predicate
            .strip_prefix("has_favorite_")
            .map_or_else(|| predicate.to_owned(), |rest| format!("favorite_{rest}")),
    };
    Stated {
        predicate: word,
        swapped: false,
        over: false,
        is_change: false,
    }
}

fn look_up(word: &str) -> Option<Stated> {
    VOCABULARY
        .iter()
        .find_map(|(predicate, _, same, other_end, ended)| {
            let over = is_among(ended, word);
            let swapped = is_among(other_end, word);
            (word == *predicate || over || swapped || is_among(same, word)).then(|| Stated {
                predicate: (*predicate).to_owned(),
                swapped,
                over,
                is_change: is_among(CHANGES, word),
            })
        })
}

/// What a predicate says of its subject's name, if it does.
pub fn naming(predicate: &str) -> Option<Naming> {
    match () {
        () if is_among(RENAMED, predicate) => Some(Naming::Renamed),
        () if is_among(ALIAS, predicate) => Some(Naming::Alias),
        () => None,
    }
}

fn nature(predicate: &str) -> Nature {
    let row = VOCABULARY.iter().find(|row| row.0 == predicate);
    match row {
        Some(row) => Nature(row.1),
        None if predicate.starts_with("favorite_") => Nature(SINGLE),
        None => Nature(0),
    }
}

/// Whether it holds one value at a time.
pub fn is_single(predicate: &str) -> bool {
    nature(predicate).0 & SINGLE != 0
}

/// Whether it reads the same from both ends.
pub fn is_symmetric(predicate: &str) -> bool {
    nature(predicate).0 & SYMMETRIC != 0
}

/// Whether it holds from before anything that is told, and does not end.
pub fn is_inborn(predicate: &str) -> bool {
    nature(predicate).0 & INBORN == INBORN
}

/// Whether another value of it shows that the first was a mistake: a birthday does not change.
pub fn never_changes(predicate: &str) -> bool {
    is_single(predicate) && is_inborn(predicate)
}

/// What two people are no longer to each other once this begins.
pub fn ended_by(predicate: &str) -> Option<&'static str> {
    match predicate {
        "married_to" => Some("engaged_to"),
        _ => None,
    }
}

/// Whether it holds on when a memory's new text no longer says it: a sister stays one.
pub fn is_lasting(predicate: &str) -> bool {
    nature(predicate).0 & LASTING != 0
}

#[cfg(test)]
mod tests;
