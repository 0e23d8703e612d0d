//! The places of an event that patterns speak of, as a tree.

use rustc_hash::FxHashMap;

use super::super::Step;

/// A place, by its number. The root is 0.
pub(super) type NodeId = usize;

/// A place of an event.
#[derive(Debug)]
pub(super) struct Node {
    /// Members and indices only, from the root.
    pub(super) path: Vec<Step>,
    pub(super) parent: Option<NodeId>,
}

/// The places, parents before children.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    numbers: FxHashMap<Vec<Step>, NodeId>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node {
                path: Vec::new(),
                parent: None,
            }],
            numbers: FxHashMap::from_iter([(Vec::new(), 0)]),
        }
    }

    /// The number of a place, made if it is new.
    pub(super) fn node(&mut self, path: &[Step]) -> NodeId {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        // Parents first; paths have at most a few hundred steps.
        let mut parent = 0;
        for length in 1..=path.len() {
            let Some(prefix) = path.get(..length) else {
                break;
            };
            parent = if let Some(number) = self.numbers.get(prefix) {
                *number
            } else {
                self.nodes.push(Node {
                    path: prefix.to_vec(),
                    parent: Some(parent),
                });
                let number = self.nodes.len() - 1;
                self.numbers.insert(prefix.to_vec(), number);
                number
            };
        }
        parent
    }

    pub(super) fn get(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(node)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate()
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}
