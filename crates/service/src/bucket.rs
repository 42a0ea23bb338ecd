//! A key-value store, as far as storage needs one: the functions of `wasi:keyvalue`, which keep one value at a time.

/// Why the store did not do what was asked, in its words.
pub type Failed = String;

/// Values under keys. Every function waits until it is done, as those of WASI 0.2 do. Whatever one instance was told
/// that it wrote, every other reads.
pub trait Bucket {
    /// Reads values: one answer for each key, in order.
    ///
    /// # Errors
    /// When the store fails.
    fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Failed>;

    /// Whether there is a value, or a counter.
    ///
    /// # Errors
    /// When the store fails.
    fn exists(&self, key: &str) -> Result<bool, Failed>;

    /// Stores a value.
    ///
    /// # Errors
    /// When the store fails; the value may be stored or not.
    fn set(&self, key: &str, value: &[u8]) -> Result<(), Failed>;

    /// Removes values, where there are any.
    ///
    /// # Errors
    /// When the store fails; some may be removed.
    fn delete_many(&self, keys: &[String]) -> Result<(), Failed>;

    /// Adds to a counter, 0 when there is none yet, and answers what it is then. No two additions answer the same.
    ///
    /// # Errors
    /// When the store fails; it may be added or not.
    fn increment(&self, key: &str, by: u64) -> Result<u64, Failed>;

    /// Milliseconds of a clock that never goes back.
    fn ticks(&self) -> u64;

    /// Waits so many milliseconds.
    fn pause(&self, milliseconds: u64);
}
