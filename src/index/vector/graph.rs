//! A hierarchical navigable small world over quantised rows.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::codes::{Code, split_mix};
use super::lines::Lines;
use super::pages::Pages;
use super::rows::{QueryRow, Rows};
use super::walk::Wanted;
use crate::index::{Bitmap, Slot};

/// How much nearer than to the centre a neighbour must be to a chosen one to be left out: with 1 as in the paper, with
/// more a slot keeps more links (alpha of Subramanya et al. 2019), and a search takes fewer steps.
const SLACK: f32 = 1.15;

/// How a graph is built and searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HnswSettings {
    /// Links of a vector, a power of two; twice as many at the ground level.
    pub m: usize,
    /// Candidates for the links of a new vector: more cost time to build and find better links.
    pub ef_construction: usize,
    /// How many vectors' links a search looks at, at the most: more cost time and find more.
    pub ef: usize,
}

impl Default for HnswSettings {
    fn default() -> Self {
        Self {
            m: 16,
            ef_construction: 200,
            ef: 300,
        }
    }
}

/// Links between near vectors at levels of falling density (Malkov and Yashunin 2018, "Efficient and robust
/// approximate nearest neighbor search using hierarchical navigable small world graphs"). A slot's level follows
/// from its number, so that every host builds the same graph.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    settings: HnswSettings,
    /// Links at the ground level, `[slots × 2m]`, each a slot plus one; 0 past the last.
    ground: Pages<Slot>,
    /// Links at the levels above, likewise, of the slots that reach them.
    above: FxHashMap<Slot, Vec<Vec<Slot>>>,
    /// The codes of the linked slots.
    codes: Lines,
    linked: Bitmap,
    count: usize,
    entry: Option<Slot>,
}

/// A slot by its score, the lower slot ahead of its equals: in one number, as that compares fastest. Its lowest bit
/// tells whether a walk has looked at its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Near(u64);

impl Near {
    #[inline(always)]
    pub fn new(score: f32, slot: Slot) -> Self {
        // The bits of floats order as integers do, once those of negative ones are turned around.
        let bits = score.to_bits();
        let sign = bits >> 31;
        let ordered = bits ^ (sign.wrapping_neg() | 1 << 31);
        Self(u64::from(ordered) << 32 | u64::from(!slot << 1))
    }

    /// The slot, below 2³¹.
    #[inline(always)]
    pub fn slot(self) -> Slot {
        !(self.0 as u32) >> 1
    }

    #[inline(always)]
    fn score(self) -> f32 {
        let ordered = (self.0 >> 32) as u32;
        let sign = ordered >> 31 ^ 1;
        f32::from_bits(ordered ^ (sign.wrapping_neg() | 1 << 31))
    }

    fn look_at(&mut self) {
        self.0 |= 1;
    }

    fn is_looked_at(self) -> bool {
        self.0 & 1 == 1
    }
}

impl Graph {
    pub fn new(settings: HnswSettings) -> Self {
        let m = settings.m.clamp(2, 128).next_power_of_two();
        let settings = HnswSettings { m, ..settings };
        Self {
            settings,
            ground: Pages::new(2 * m),
            above: FxHashMap::default(),
            codes: Lines::new(),
            linked: Bitmap::default(),
            count: 0,
            entry: None,
        }
    }

    pub fn settings(&self) -> HnswSettings {
        self.settings
    }

    pub fn set_ef(&mut self, ef: usize) {
        self.settings.ef = ef;
    }

    /// The slots in the graph.
    pub fn linked(&self) -> &Bitmap {
        &self.linked
    }

    /// The codes of the slots in the graph.
    #[inline(always)]
    pub fn codes(&self) -> &Lines {
        &self.codes
    }

    /// Where walks begin; `None` while the graph is empty.
    pub fn entry(&self) -> Option<Slot> {
        self.entry
    }

    /// How many slots are in the graph.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Bytes of the links and codes.
    pub fn bytes(&self) -> usize {
        let links = |levels: &Vec<Vec<Slot>>| levels.iter().map(Vec::capacity).sum::<usize>();
        let above = self.above.values().map(links).sum::<usize>() * size_of::<Slot>();
        self.ground.bytes() + above + self.codes.bytes()
    }

    /// One in `m` slots reaches level 1, one in `m²` level 2, and so on.
    pub fn level(&self, slot: Slot) -> usize {
        let mut state = u64::from(slot);
        (split_mix(&mut state).leading_zeros() / self.settings.m.ilog2()) as usize
    }

    /// The most links at a level.
    pub fn most(&self, level: usize) -> usize {
        match level {
            0 => 2 * self.settings.m,
            _ => self.settings.m,
        }
    }

    /// The links of a slot at the ground level, each a slot plus one; 0 past the last.
    #[inline(always)]
    pub fn ground(&self, slot: Slot) -> &[Slot] {
        self.ground.get(slot as usize).unwrap_or_default()
    }

    #[inline(always)]
    fn links(&self, slot: Slot, level: usize) -> impl Iterator<Item = Slot> {
        let links = match level {
            0 => self.ground(slot),
            _ => {
                let levels = self.above.get(&slot);
                let links = levels.and_then(|levels| levels.get(level - 1));
                links.map(Vec::as_slice).unwrap_or_default()
            }
        };
        let links = links.iter();
        links.take_while(|link| **link > 0).map(|link| link - 1)
    }

    fn set_links(&mut self, slot: Slot, level: usize, links: &[Slot]) {
        let most = self.most(level);
        let mut links: Vec<Slot> = links.iter().take(most).map(|link| link + 1).collect();
        if level == 0 {
            links.resize(most, 0);
            return self.ground.put(slot as usize, &links);
        }
        let levels = self.above.entry(slot).or_default();
        if levels.len() < level {
            levels.resize(level, Vec::new());
        }
        if let Some(place) = levels.get_mut(level - 1) {
            *place = links;
        }
    }

    /// Puts a slot whose row is there into the graph, with its code.
    pub fn insert(&mut self, rows: &Rows, slot: Slot, code: Code) {
        if self.linked.contains(slot) {
            return;
        }
        let level = self.level(slot);
        let query = rows.query(slot as usize);
        if let Some(entry) = self.entry {
            let top = self.level(entry);
            let score = |slot: Slot| rows.score(slot as usize, &query);
            let mut from = Near::new(score(entry), entry);
            for above in (level + 1..=top).rev() {
                from = self.descend(&score, from, above);
            }
            let mut from = vec![from];
            for level in (0..=level.min(top)).rev() {
                let ef = self.settings.ef_construction;
                from = match level {
                    0 => self.candidates(rows, &query, &code),
                    _ => self.walk(&score, &from, ef, level),
                };
                let chosen = choose(rows, &from, self.most(level));
                self.set_links(slot, level, &chosen);
                for neighbour in chosen {
                    self.link_back(rows, neighbour, slot, level);
                }
            }
        }
        for level in 0..=level {
            if self.links(slot, level).next().is_none() {
                self.set_links(slot, level, &[]);
            }
        }
        self.enter(slot, code);
    }

    /// Candidates for the links of a new slot at the ground level, best first. Codes lead to them and choose twice as
    /// many, of which rows then tell the best.
    fn candidates(&self, rows: &Rows, query: &QueryRow, code: &Code) -> Vec<Near> {
        let ef = self.settings.ef_construction;
        let wanted = Wanted {
            k: 2 * ef,
            allowed: None,
            looks: ef,
            farther: 0,
        };
        let near = self.near(code, &wanted);
        let near = rows.scores(&near, query).into_iter();
        let mut near: Vec<Near> = near.map(|(slot, score)| Near::new(score, slot)).collect();
        near.sort_unstable_by(|a, b| b.cmp(a));
        near.truncate(ef);
        near
    }

    fn enter(&mut self, slot: Slot, code: Code) {
        self.codes.put(slot, code);
        self.count += usize::from(!self.linked.contains(slot));
        self.linked.insert(slot);
        let is_higher = |entry| self.level(slot) > self.level(entry);
        if self.entry.is_none_or(is_higher) {
            self.entry = Some(slot);
        }
    }

    /// Links a neighbour to a new slot; when it has too many links, the best stay.
    fn link_back(&mut self, rows: &Rows, neighbour: Slot, slot: Slot, level: usize) {
        let mut links: Vec<Slot> = self.links(neighbour, level).collect();
        links.push(slot);
        self.relink(rows, neighbour, level, links);
    }

    /// Gives a slot the best of some links.
    fn relink(&mut self, rows: &Rows, slot: Slot, level: usize, mut links: Vec<Slot>) {
        let most = self.most(level);
        if links.len() > most {
            let query = rows.query(slot as usize);
            let links_near = links
                .iter()
                .map(|link| Near::new(rows.score(*link as usize, &query), *link));
            let mut candidates: Vec<Near> = links_near.collect();
            candidates.sort_unstable_by(|a, b| b.cmp(a));
            // With room for the next, or every new link would cost a choice among all.
            links = choose(rows, &candidates, most - most / 4);
        }
        self.set_links(slot, level, &links);
    }

    /// Takes a slot whose row is still there out of the graph. Those that led to it lead to its neighbours
    /// instead; a link that is not found leads nowhere and is passed over.
    pub fn remove(&mut self, rows: &Rows, slot: Slot) {
        if !self.linked.contains(slot) {
            return;
        }
        let query = rows.query(slot as usize);
        let score = |slot: Slot| rows.score(slot as usize, &query);
        for level in 0..=self.level(slot) {
            let orphaned: Vec<Slot> = self.links(slot, level).collect();
            let from = [Near::new(score(slot), slot)];
            let ef = self.settings.ef_construction;
            let near = self.walk(&score, &from, ef, level);
            for other in near.into_iter().map(Near::slot) {
                if other == slot || self.links(other, level).all(|link| link != slot) {
                    continue;
                }
                let mut links: Vec<Slot> = self.links(other, level).collect();
                links.extend(&orphaned);
                links.sort_unstable();
                links.dedup();
                links.retain(|link| *link != slot && *link != other && self.linked.contains(*link));
                self.relink(rows, other, level, links);
            }
        }
        self.set_links(slot, 0, &[]);
        self.above.remove(&slot);
        self.codes.put(slot, Code::default());
        self.linked.remove(slot);
        self.count -= 1;
        if self.entry == Some(slot) {
            let highest = self.above.keys().copied();
            let highest = highest.filter(|slot| self.linked.contains(*slot));
            let highest = highest.max_by_key(|slot| (self.level(*slot), Reverse(*slot)));
            self.entry = highest.or_else(|| self.linked.iter().next());
        }
    }

    /// The nearest that steps from neighbour to nearer neighbour reach.
    pub fn descend(&self, score: &dyn Fn(Slot) -> f32, from: Near, level: usize) -> Near {
        let mut nearest = from;
        loop {
            let links = self.links(nearest.slot(), level);
            let links = links.filter(|link| self.linked.contains(*link));
            match links.map(|link| Near::new(score(link), link)).max() {
                Some(best) if best.score() > nearest.score() => nearest = best,
                _ => return nearest,
            }
        }
    }

    /// The `ef` nearest of a level that best-first steps reach, best first. One sorted list is both what was found
    /// and what is still to be looked at (Subramanya et al. 2019, "DiskANN", algorithm 1).
    fn walk(
        &self,
        score: &dyn Fn(Slot) -> f32,
        from: &[Near],
        ef: usize,
        level: usize,
    ) -> Vec<Near> {
        let mut unseen = self.linked.clone();
        let mut found = from.to_vec();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.iter().for_each(|near| unseen.remove(near.slot()));
        let most = self.most(level);
        let (mut new, mut scored) = (Vec::with_capacity(most), Vec::with_capacity(most));
        let mut next = 0;
        while next < ef
            && let Some(nearest) = found.get_mut(next)
        {
            let slot = nearest.slot();
            nearest.look_at();
            next += 1;
            // All scores before anything is compared: their loads do not wait for each other then.
            new.clear();
            new.extend(self.links(slot, level).filter(|link| unseen.take(*link)));
            scored.clear();
            scored.extend(new.iter().map(|link| Near::new(score(*link), *link)));
            for near in scored.iter().copied() {
                let is_full = found.len() >= ef;
                if is_full && found.last().is_some_and(|worst| near < *worst) {
                    continue;
                }
                if is_full {
                    found.pop();
                }
                let at = found.partition_point(|better| *better > near);
                found.insert(at, near);
                next = next.min(at);
            }
            while found.get(next).is_some_and(|near| near.is_looked_at()) {
                next += 1;
            }
        }
        found
    }

    /// Appends the links of a slot: for each of its levels how many (`u8`) and to which slots (`u32`,
    /// little-endian).
    pub fn save(&self, slot: Slot, page: &mut Vec<u8>) {
        for level in 0..=self.level(slot) {
            let links: Vec<Slot> = self.links(slot, level).collect();
            page.push(links.len() as u8);
            page.extend(links.iter().flat_map(|link| link.to_le_bytes()));
        }
    }

    /// Takes in saved links and answers what follows them; `None` when they are cut off. They are still true if there is a
    /// `code` of the slot.
    pub fn restore<'a>(
        &mut self,
        slot: Slot,
        saved: &'a [u8],
        code: Option<Code>,
    ) -> Option<&'a [u8]> {
        let mut rest = saved;
        for level in 0..=self.level(slot) {
            let (count, after) = rest.split_first()?;
            let (links, after) = after.split_at_checked(usize::from(*count) * 4)?;
            rest = after;
            if code.is_some() {
                let (links, _) = links.as_chunks::<4>();
                let links = links.iter().map(|link| u32::from_le_bytes(*link));
                let links: Vec<Slot> = links.filter(|link| *link < Slot::MAX).collect();
                self.set_links(slot, level, &links);
            }
        }
        if let Some(code) = code {
            self.enter(slot, code);
        }
        Some(rest)
    }
}

/// Up to `most` of the candidates, which come nearest first: one that is nearer to a chosen one than to the
/// centre is reached through that one, and left out (algorithm 4 of the paper).
fn choose(rows: &Rows, candidates: &[Near], most: usize) -> Vec<Slot> {
    let mut chosen: Vec<Slot> = Vec::with_capacity(most);
    for candidate in candidates {
        let (slot, score) = (candidate.slot(), candidate.score());
        if chosen.len() == most {
            break;
        }
        let query = rows.query(slot as usize);
        let far = (1.0 - score) / SLACK;
        let is_covered = |other: &Slot| 1.0 - rows.score(*other as usize, &query) < far;
        if !chosen.iter().any(is_covered) {
            chosen.push(slot);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_and_slots_come_back_and_order_as_they_should() {
        let scores = [f32::MIN, -1.0, -0.0, 0.0, 1e-20, 0.5, 1.0, f32::MAX];
        let mut sorted = Vec::new();
        for score in scores {
            for slot in [Slot::MAX / 2, 7, 0] {
                let near = Near::new(score, slot);
                assert_eq!(
                    (near.score().to_bits(), near.slot()),
                    (score.to_bits(), slot)
                );
                sorted.push(near);
            }
        }
        assert!(sorted.is_sorted());
    }
}
