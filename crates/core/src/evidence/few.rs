//! A map that nearly always has one entry.

use std::collections::BTreeMap;

/// An ordered map whose first entry needs no memory of its own: the smallest tree takes that of
/// eleven, and ten thousand accounts have several maps each.
#[derive(Debug, Clone)]
pub(super) struct Few<K, V> {
    /// The entry with the smallest key.
    first: Option<(K, V)>,
    /// The others: an empty tree takes three times the room of none.
    #[expect(clippy::box_collection, reason = "nearly always there are none")]
    rest: Option<Box<BTreeMap<K, V>>>,
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self {
            first: None,
            rest: None,
        }
    }
}

impl<K: Ord, V> Few<K, V> {
    fn others(&mut self) -> &mut BTreeMap<K, V> {
        self.rest.get_or_insert_default()
    }

    /// Takes the place of what is there.
    pub(super) fn insert(&mut self, key: K, value: V) {
        match &mut self.first {
            None => self.first = Some((key, value)),
            Some((first, known)) if *first == key => *known = value,
            Some(first) if key < first.0 => {
                let (later, known) = std::mem::replace(first, (key, value));
                self.others().insert(later, known);
            }
            Some(_) => {
                self.others().insert(key, value);
            }
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        match &self.first {
            Some((first, value)) if first == key => Some(value),
            _ => self.rest.as_ref()?.get(key),
        }
    }

    /// The value of a key, the default one where there was none.
    pub(super) fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        if self.first.as_ref().is_some_and(|(first, _)| key < *first)
            && let Some((later, known)) = self.first.take()
        {
            self.others().insert(later, known);
        }
        if self.first.as_ref().is_some_and(|(first, _)| key != *first) {
            return self.others().entry(key).or_default();
        }
        &mut self.first.get_or_insert_with(|| (key, V::default())).1
    }
}

impl<K, V> Few<K, V> {
    /// By key, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let first = self.first.as_ref().map(|(key, value)| (key, value));
        first
            .into_iter()
            .chain(self.rest.iter().flat_map(|rest| rest.iter()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(entries in prop::collection::vec((0_u8..6, 0_u8..9), 0..9)) {
            let tree: BTreeMap<u8, u8> = entries.iter().copied().collect();
            let mut few = Few::default();
            for (place, (key, value)) in entries.into_iter().enumerate() {
                if place % 2 == 0 {
                    few.insert(key, value);
                } else {
                    *few.entry(key) = value;
                }
            }
            for key in 0..6 {
                prop_assert_eq!(few.get(&key), tree.get(&key));
            }
            prop_assert!(few.iter().eq(&tree));
        }
    }
}
