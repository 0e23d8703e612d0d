//! A map that nearly always has one entry.

use std::collections::{BTreeMap, btree_map};
use std::iter::Chain;
use std::option;

/// An ordered map whose first entry needs no memory of its own: the smallest tree takes that of
/// eleven, and ten thousand accounts have several maps each.
#[derive(Debug, Clone)]
pub(super) struct Few<K, V> {
    /// The entry with the smallest key.
    first: Option<(K, V)>,
    rest: BTreeMap<K, V>,
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self {
            first: None,
            rest: BTreeMap::new(),
        }
    }
}

impl<K: Ord, V> Few<K, V> {
    /// Takes the place of what is there.
    pub(super) fn insert(&mut self, key: K, value: V) {
        match &mut self.first {
            None => self.first = Some((key, value)),
            Some((first, known)) if *first == key => *known = value,
            Some(first) if key < first.0 => {
                let (later, known) = std::mem::replace(first, (key, value));
                self.rest.insert(later, known);
            }
            Some(_) => {
                self.rest.insert(key, value);
            }
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        match &self.first {
            Some((first, value)) if first == key => Some(value),
            _ => self.rest.get(key),
        }
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }
}

impl<K, V> Few<K, V> {
    /// By key, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let first = self.first.as_ref().map(|(key, value)| (key, value));
        first.into_iter().chain(&self.rest)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

impl<K, V> IntoIterator for Few<K, V> {
    type Item = (K, V);
    type IntoIter = Chain<option::IntoIter<(K, V)>, btree_map::IntoIter<K, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.rest)
    }
}

impl<K: Ord, V> Extend<(K, V)> for Few<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
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
            few.extend(entries);
            for key in 0..6 {
                prop_assert_eq!(few.get(&key), tree.get(&key));
                prop_assert_eq!(few.contains_key(&key), tree.contains_key(&key));
            }
            prop_assert!(few.iter().eq(&tree));
            prop_assert!(few.keys().eq(tree.keys()));
            prop_assert!(few.values().eq(tree.values()));
            prop_assert!(few.into_iter().eq(tree));
        }
    }
}
