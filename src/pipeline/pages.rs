//! Cards and indexes as pages that load quickly. How pages are framed is [`crate::store::pages`]'s.

use std::collections::HashMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::knowledge::{Knowledge, SEQUENCES, flags_of, set_flags};
use super::recall::{Passage, RecallIndex};
use crate::compact::from_json;
use crate::index::{KeywordPage, Slot};
use crate::memory::{About, Card, EntityId, Id, Kind, Moment, Times, Traits};
use crate::store::pages::{PageError, damaged, decode, encode, seal, unseal};

/// Slots, and at most about so many cards, on a page: 128 vectors of 4,096 dimensions take half a megabyte.
pub const SLOTS: usize = 128;

/// The page of cards that a memory is on.
pub fn page_of_card(id: &Id) -> u32 {
    id.sequence() / SEQUENCES
}

/// The page that a slot is on.
pub fn page_of_slot(slot: Slot) -> u32 {
    slot / SLOTS as u32
}

/// The slots on a page.
pub fn slots_on(page: u32) -> impl Iterator<Item = Slot> {
    (page * SLOTS as u32..).take(SLOTS)
}

/// Column by column, as that reads quickest.
#[derive(Default, Serialize, Deserialize)]
struct Cards {
    /// [`Traits`] as JSON.
    traits: Vec<String>,
    entities: Vec<String>,
    ids: Vec<Bits>,
    /// As [`flags_of`] tells them.
    flags: Vec<u8>,
    traits_of: Vec<u32>,
    created_at: Vec<i64>,
    updated_at: Vec<i64>,
    expires_at: Vec<Option<i64>>,
    sources: Vec<Vec<Bits>>,
    earlier_sources: Vec<Vec<Bits>>,
    entities_of: Vec<Vec<u32>>,
    says: Vec<u64>,
    text: Vec<u64>,
    tells: Vec<u8>,
    /// Of those that have any: the place of the card, the times that it is about, and when it was over.
    times: Vec<(u32, Vec<SavedTime>, Option<i64>)>,
}

/// From, until, and whether it is known.
type SavedTime = (i64, i64, bool);

/// An id as a number: the half that all ids of a space share, and its own.
type Bits = (u64, u64);

fn bits(id: &Id) -> Bits {
    let bits = id.to_bits();
    ((bits >> 64) as u64, bits as u64)
}

fn id_of((high, low): Bits) -> Id {
    Id::from_bits(u128::from(high) << 64 | u128::from(low))
}

/// The cards of one page; `None` when there is none.
pub fn save_cards(knowledge: &Knowledge, page: u32) -> Option<Vec<u8>> {
    let mut traits = Once::default();
    let mut entities = Once::default();
    let mut saved = Cards::default();
    for card in knowledge.cards_on(page) {
        let mentioned = card.entities.iter();
        saved.ids.push(bits(&card.id));
        saved.flags.push(flags_of(&card));
        let json = serde_json::to_string(&*card.traits).unwrap_or_default();
        saved.traits_of.push(traits.place(json));
        saved.created_at.push(card.created_at.as_millis());
        saved.updated_at.push(card.updated_at.as_millis());
        saved
            .expires_at
            .push(card.expires_at.map(Moment::as_millis));
        saved.sources.push(card.sources.iter().map(bits).collect());
        saved
            .earlier_sources
            .push(card.earlier_sources.iter().map(bits).collect());
        saved
            .entities_of
            .push(mentioned.map(|id| entities.place(id.0.clone())).collect());
        saved.says.push(card.says);
        saved.text.push(card.text);
        saved.tells.push(card.tells);
        if let Some(times) = &card.times {
            let about = times.about.iter();
            let about = about.map(|it| (it.from.as_millis(), it.until.as_millis(), it.known));
            let over = times.over.map(Moment::as_millis);
            let place = saved.ids.len() as u32 - 1;
            saved.times.push((place, about.collect(), over));
        }
    }
    saved.traits = traits.values;
    saved.entities = entities.values;
    (!saved.ids.is_empty()).then(|| encode(&saved))
}

/// Takes in a page of cards.
///
/// # Errors
/// When it is damaged or of another version.
pub fn load_cards(knowledge: &mut Knowledge, key: &str, page: &[u8]) -> Result<(), PageError> {
    let saved: Cards = decode(key, page)?;
    let traits = saved.traits.iter().map(|json| {
        let traits: Traits = from_json(json).map_err(|_| damaged(key))?;
        Ok(knowledge.intern(traits))
    });
    let traits: Vec<Rc<Traits>> = traits.collect::<Result<_, PageError>>()?;
    let ids = |ids: &Vec<Bits>| ids.iter().copied().map(id_of).collect();
    let none: Rc<[EntityId]> = Rc::default();
    let mut times = saved.times.iter().peekable();
    for (at, id) in saved.ids.iter().enumerate() {
        let own = times.next_if(|(place, ..)| *place as usize == at);
        let card = || {
            let mentioned = saved.entities_of.get(at)?;
            let entities = mentioned.iter();
            let entities = entities.filter_map(|place| saved.entities.get(*place as usize));
            let mut card = Card {
                id: id_of(*id),
                kind: Kind::Fact,
                transcript: false,
                current: false,
                standing: false,
                immutable: false,
                feedback: None,
                tells: *saved.tells.get(at)?,
                times: own.map(|(_, about, over)| Rc::new(times_of(about, *over))),
                traits: traits.get(*saved.traits_of.get(at)? as usize)?.clone(),
                created_at: Moment::from_millis(*saved.created_at.get(at)?),
                updated_at: Moment::from_millis(*saved.updated_at.get(at)?),
                expires_at: saved.expires_at.get(at)?.map(Moment::from_millis),
                entities: match mentioned.is_empty() {
                    true => none.clone(),
                    false => entities.cloned().map(EntityId).collect(),
                },
                sources: ids(saved.sources.get(at)?),
                earlier_sources: ids(saved.earlier_sources.get(at)?),
                says: *saved.says.get(at)?,
                text: *saved.text.get(at)?,
            };
            set_flags(&mut card, *saved.flags.get(at)?);
            Some(card)
        };
        knowledge.put(&card().ok_or_else(|| damaged(key))?);
    }
    Ok(())
}

fn times_of(about: &[SavedTime], over: Option<i64>) -> Times {
    let about = about.iter().map(|(from, until, known)| About {
        from: Moment::from_millis(*from),
        until: Moment::from_millis(*until),
        known: *known,
    });
    Times {
        about: about.collect(),
        over: over.map(Moment::from_millis),
    }
}

#[derive(Serialize, Deserialize)]
struct Words<'a> {
    /// The memory, by its sequence number, and the place of its passage, of each slot.
    slots: Vec<Option<(u32, u16)>>,
    #[serde(borrow)]
    keywords: KeywordPage<'a>,
}

/// The slots of one page with their words; `None` when all are empty.
pub fn save_words(index: &RecallIndex, page: u32) -> Option<Vec<u8>> {
    let first = page * SLOTS as u32;
    let slots = slots_on(page).map(|slot| {
        let passage = index.slots.key(slot)?;
        Some((passage.sequence(), passage.place()))
    });
    let slots: Vec<_> = slots.collect();
    slots.iter().any(Option::is_some).then(|| {
        encode(&Words {
            slots,
            keywords: index.keywords.page(first, SLOTS),
        })
    })
}

/// Takes in a page of words. The cards must be there.
///
/// # Errors
/// When it is damaged, of another version, or names a memory that has no card.
pub fn load_words(
    index: &mut RecallIndex,
    knowledge: &Knowledge,
    page: u32,
    key: &str,
    bytes: &[u8],
) -> Result<(), PageError> {
    let words: Words<'_> = decode(key, bytes)?;
    let first = page * SLOTS as u32;
    for (slot, saved) in slots_on(page).zip(&words.slots) {
        let Some((sequence, place)) = *saved else {
            continue;
        };
        let card = knowledge.sketch(sequence);
        let card = card.ok_or_else(|| damaged(key))?;
        index.slots.restore(slot, Passage::new(sequence, place));
        index.selections.put(slot, card, |_| false);
    }
    index.keywords.restore(first, &words.keywords);
    Ok(())
}

/// The codes of one page's vectors; `None` when there is none.
pub fn save_codes(index: &RecallIndex, page: u32) -> Option<Vec<u8>> {
    let body = index.vectors.flat().codes_page(page * SLOTS as u32, SLOTS);
    (!body.is_empty()).then(|| seal(&body))
}

/// Takes in a page of codes.
///
/// # Errors
/// When it is damaged or of another version.
pub fn load_codes(
    index: &mut RecallIndex,
    page: u32,
    key: &str,
    bytes: &[u8],
) -> Result<(), PageError> {
    let body = unseal(key, bytes)?;
    let restored = index.vectors.restore_codes(page * SLOTS as u32, body);
    restored.map_err(|_| damaged(key))
}

/// The rows of one page's vectors; `None` when there is none, or rows are not resident.
pub fn save_rows(index: &RecallIndex, page: u32) -> Option<Vec<u8>> {
    let body = index.vectors.flat().rows_page(page * SLOTS as u32, SLOTS);
    (!body.is_empty()).then(|| seal(&body))
}

/// Takes in a page of rows, after all codes, and says how many there were.
///
/// # Errors
/// When it is damaged or of another version.
pub fn load_rows(
    index: &mut RecallIndex,
    page: u32,
    key: &str,
    bytes: &[u8],
) -> Result<usize, PageError> {
    let body = unseal(key, bytes)?;
    let restored = index.vectors.restore_rows(page * SLOTS as u32, body);
    restored.map_err(|_| damaged(key))
}

/// Slots with their links on a page: at most 300 KB.
const LINKED_SLOTS: usize = 2_048;

/// The page of links that a slot is on.
pub fn page_of_links(page_of_slots: u32) -> u32 {
    page_of_slots / (LINKED_SLOTS / SLOTS) as u32
}

/// The pages of links, those that would be empty without their bytes; `None` while too few have changed to be worth
/// it: a change touches the links of a dozen others.
pub fn save_links(index: &RecallIndex, all: bool) -> Option<Vec<(u32, Option<Vec<u8>>)>> {
    let due = (index.slots.count() / 64).max(1_024);
    if index.vectors.unsaved() < due && !(all && index.vectors.unsaved() > 0) {
        return None;
    }
    let pages = 0..index.slots.count().div_ceil(LINKED_SLOTS) as u32;
    let pages = pages.map(|page| {
        let body = index
            .vectors
            .links(page * LINKED_SLOTS as u32, LINKED_SLOTS);
        (page, (!body.is_empty()).then(|| seal(&body)))
    });
    Some(pages.collect())
}

/// Takes in a page of links; all vectors must be there. What it lacks is made anew bit by bit.
///
/// # Errors
/// When it is damaged or of another version.
pub fn load_links(
    index: &mut RecallIndex,
    page: u32,
    key: &str,
    bytes: &[u8],
) -> Result<(), PageError> {
    let body = unseal(key, bytes)?;
    index
        .vectors
        .restore_links(page * LINKED_SLOTS as u32, body);
    Ok(())
}

/// Values by their place, each once.
#[derive(Default)]
struct Once {
    values: Vec<String>,
    places: HashMap<String, u32>,
}

impl Once {
    fn place(&mut self, value: String) -> u32 {
        if let Some(place) = self.places.get(&value) {
            return *place;
        }
        let place = self.values.len() as u32;
        self.values.push(value.clone());
        self.places.insert(value, place);
        place
    }
}
