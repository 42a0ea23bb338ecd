//! Maps and sets in the order of their keys. `BTreeMap` is made anew for each pair of types that it holds, at more than a kilobyte
//! each that a page has to load; of these, little is made anew but the comparison of keys.
//!
//! Entries are in runs, sorted, of which none is empty or long: to find one is two binary searches, to insert one moves a part
//! of a run. As many as a space has take as long as in a `BTreeMap`.

mod iter;
mod set;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;

pub use iter::{Iter, Keys};
pub use set::OrderedSet;

/// Entries in a run at most.
const LONGEST: usize = 64;

/// The run of an entry, and where it is in that.
type Place = (usize, usize);

/// A map in the order of its keys.
#[derive(Clone)]
pub struct OrderedMap<K, V> {
    runs: Vec<Vec<(K, V)>>,
}

/// Finds the place of a key, or where it would be: `order` compares the key at a place with it. The same for all maps.
fn find(
    runs: usize,
    length: &dyn Fn(usize) -> usize,
    order: &dyn Fn(Place) -> Ordering,
) -> Result<Place, Place> {
    let (mut low, mut high) = (0, runs);
    while low < high {
        let middle = low.midpoint(high);
        match order((middle, 0)) {
            Ordering::Less => low = middle + 1,
            Ordering::Equal => return Ok((middle, 0)),
            Ordering::Greater => high = middle,
        }
    }
    let Some(run) = low.checked_sub(1) else {
        return Err((0, 0));
    };
    (low, high) = (1, length(run));
    while low < high {
        let middle = low.midpoint(high);
        match order((run, middle)) {
            Ordering::Less => low = middle + 1,
            Ordering::Equal => return Ok((run, middle)),
            Ordering::Greater => high = middle,
        }
    }
    Err((run, low))
}

impl<K: Ord, V> OrderedMap<K, V> {
    /// An empty one.
    pub const fn new() -> Self {
        Self { runs: Vec::new() }
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        let length = |run: usize| self.runs.get(run).map_or(0, Vec::len);
        let order = |(run, at): Place| {
            let entry = self.runs.get(run).and_then(|run| run.get(at));
            entry.map_or(Ordering::Greater, |(known, _)| known.borrow().cmp(key))
        };
        find(self.runs.len(), &length, &order)
    }

    /// The same for a key that is put there: most come in order, when a space is opened.
    fn place_of_new(&self, key: &K) -> Result<Place, Place> {
        match self
            .runs
            .last()
            .and_then(|run| Some((run.len(), run.last()?)))
        {
            Some((length, (last, _))) if last < key => Err((self.runs.len() - 1, length)),
            _ => self.place(key),
        }
    }

    fn value_at(&mut self, (run, at): Place) -> Option<&mut V> {
        let entry = self.runs.get_mut(run)?.get_mut(at);
        entry.map(|(_, value)| value)
    }

    /// Puts an entry where it belongs.
    fn put(&mut self, (mut run, mut at): Place, entry: (K, V)) -> Place {
        if self.runs.get(run).is_none_or(|run| run.len() >= LONGEST) {
            // What comes last begins a run, so that runs are full when keys come in order.
            let kept = if at == LONGEST { at } else { LONGEST / 2 };
            let full = self.runs.get_mut(run);
            let rest = full.map(|full| full.split_off(kept));
            let is_split = rest.is_some();
            let next = self.runs.len().min(run + 1);
            self.runs.insert(next, rest.unwrap_or_default());
            if is_split && at >= kept {
                (run, at) = (run + 1, at - kept);
            }
        }
        if let Some(run) = self.runs.get_mut(run) {
            run.insert(at, entry);
        }
        (run, at)
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (run, at) = self.place(key).ok()?;
        let entry = self.runs.get(run)?.get(at);
        entry.map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.value_at(place)
    }

    /// Whether there is a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Sets the value of a key: the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place_of_new(&key) {
            Ok(place) => {
                let known = self.value_at(place)?;
                Some(std::mem::replace(known, value))
            }
            Err(place) => {
                self.put(place, (key, value));
                None
            }
        }
    }

    /// Changes the value of a key, the default one when it has none.
    pub fn change(&mut self, key: K, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        let place = match self.place_of_new(&key) {
            Ok(place) => place,
            Err(place) => self.put(place, (key, V::default())),
        };
        if let Some(value) = self.value_at(place) {
            change(value);
        }
    }

    /// Removes a key: the value that it had.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.take(place).map(|(_, value)| value)
    }

    fn take(&mut self, (place, at): Place) -> Option<(K, V)> {
        let run = self.runs.get_mut(place)?;
        let entry = (at < run.len()).then(|| run.remove(at));
        if run.is_empty() {
            self.runs.remove(place);
        }
        entry
    }

    /// Removes what `keep` does not say to keep.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for run in &mut self.runs {
            run.retain_mut(|(key, value)| keep(key, value));
        }
        self.runs.retain(|run| !run.is_empty());
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.runs.clear();
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.runs.iter().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The entries, in order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter::new(&self.runs, 0)
    }

    /// The entries from this key on, in order.
    pub fn starting_at<Q: Ord + ?Sized>(&self, key: &Q) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let (run, at) = match self.place(key) {
            Ok(place) | Err(place) => place,
        };
        Iter::new(self.runs.get(run..).unwrap_or_default(), at)
    }

    /// The keys, in order.
    pub fn keys(&self) -> Keys<'_, K, V> {
        Keys(self.iter())
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// The values, in the order of their keys.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.runs.into_iter().flatten().map(|(_, value)| value)
    }
}

impl<K, V> Default for OrderedMap<K, V> {
    fn default() -> Self {
        Self { runs: Vec::new() }
    }
}

impl<K: Ord, V: PartialEq> PartialEq for OrderedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Ord, V: Eq> Eq for OrderedMap<K, V> {}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for OrderedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord, V> Extend<(K, V)> for OrderedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for OrderedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<'a, K: Ord, V> IntoIterator for &'a OrderedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

impl<K, V> IntoIterator for OrderedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.runs.into_iter().flatten()
    }
}
