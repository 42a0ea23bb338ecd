//! Rows of equal width.

/// Rows in one allocation: growth copies at most this many.
const ROWS: usize = 1_024;

/// Rows of `width` values each, `[rows × width]`, in pages, so that growing never copies them all and never
/// needs twice the memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages<T> {
    width: usize,
    pages: Vec<Vec<T>>,
}

impl<T: Copy + Default> Pages<T> {
    /// No rows yet.
    pub fn new(width: usize) -> Self {
        Self {
            width: width.max(1),
            pages: Vec::new(),
        }
    }

    /// Writes a row, making room for it.
    pub fn put(&mut self, row: usize, values: &[T]) {
        let page = row / ROWS;
        if self.pages.len() <= page {
            // The pages before are filled, so that a row's place follows from its number.
            if let Some(last) = self.pages.last_mut() {
                last.resize(ROWS * self.width, T::default());
            }
            let full = vec![T::default(); ROWS * self.width];
            self.pages.resize(page, full);
            self.pages.push(Vec::new());
        }
        let start = row % ROWS * self.width;
        let Some(page) = self.pages.get_mut(page) else {
            return;
        };
        if page.len() < start {
            page.resize(start, T::default());
        }
        match page.get_mut(start..start + self.width) {
            Some(place) => place.copy_from_slice(values),
            // As rows come, nothing is written twice.
            None => page.extend_from_slice(values),
        }
    }

    /// A row; `None` past the last.
    #[inline(always)]
    pub fn get(&self, row: usize) -> Option<&[T]> {
        let start = row % ROWS * self.width;
        self.pages.get(row / ROWS)?.get(start..start + self.width)
    }

    /// Blocks of up to 64 rows, in order: as many as a word of a bitmap has bits.
    pub fn blocks(&self) -> impl Iterator<Item = &[T]> {
        let block = 64 * self.width;
        self.pages.iter().flat_map(move |page| page.chunks(block))
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        let values: usize = self.pages.iter().map(Vec::capacity).sum();
        values * size_of::<T>()
    }
}
