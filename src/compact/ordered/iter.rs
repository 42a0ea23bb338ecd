//! Going through maps and sets.

use std::slice;

/// The entries of a map, in order.
pub struct Iter<'a, K, V> {
    front: slice::Iter<'a, (K, V)>,
    runs: slice::Iter<'a, Vec<(K, V)>>,
    back: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Iter<'a, K, V> {
    /// Those of some runs, from a place in the first of them on.
    pub(super) fn new(runs: &'a [Vec<(K, V)>], at: usize) -> Self {
        let mut runs = runs.iter();
        let first = runs.next().and_then(|run| run.get(at..));
        Self {
            front: first.unwrap_or_default().iter(),
            runs,
            back: [].iter(),
        }
    }
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Self {
            front: self.front.clone(),
            runs: self.runs.clone(),
            back: self.back.clone(),
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = match self.front.next() {
            Some(entry) => Some(entry),
            // No run is empty.
            None => match self.runs.next() {
                Some(run) => {
                    self.front = run.iter();
                    self.front.next()
                }
                None => self.back.next(),
            },
        };
        entry.map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.front.len() + self.back.len(), None)
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let entry = match self.back.next_back() {
            Some(entry) => Some(entry),
            None => match self.runs.next_back() {
                Some(run) => {
                    self.back = run.iter();
                    self.back.next_back()
                }
                None => self.front.next_back(),
            },
        };
        entry.map(|(key, value)| (key, value))
    }
}

/// The keys of a map, or what a set holds, in order.
pub struct Keys<'a, K, V>(pub(super) Iter<'a, K, V>);

impl<K, V> Clone for Keys<'_, K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<'a, K, V> Iterator for Keys<'a, K, V> {
    type Item = &'a K;

    fn next(&mut self) -> Option<&'a K> {
        self.0.next().map(|(key, _)| key)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<K, V> DoubleEndedIterator for Keys<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, _)| key)
    }
}
