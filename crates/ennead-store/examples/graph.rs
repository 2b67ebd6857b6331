//! A graph by prefix: each edge is a row under its source and one under its target, written together.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::collections::{BTreeSet, VecDeque};

use ennead_store::{Durability, Options, Result, Store, Table, TableKind, WriteBatch};

struct Graph {
    store: Store,
    edges: Table,
}

#[derive(Debug, PartialEq, Eq)]
struct Edge {
    kind: String,
    node: String,
    properties: String,
}

impl Graph {
    fn add_edge(&self, from: &str, to: &str, kind: &str, properties: &str) -> Result<()> {
        let mut batch = WriteBatch::new();
        batch.put(self.edges, format!("out:{from}:{kind}:{to}").as_bytes(), properties.as_bytes());
        batch.put(self.edges, format!("in:{to}:{kind}:{from}").as_bytes(), properties.as_bytes());
        self.store.write(&batch, Durability::EverySec).map(|_| ())
    }

    fn outgoing(&self, node: &str, kind: Option<&str>) -> Result<Vec<Edge>> {
        self.edges_under(format!("out:{node}:"), kind)
    }

    fn incoming(&self, node: &str, kind: Option<&str>) -> Result<Vec<Edge>> {
        self.edges_under(format!("in:{node}:"), kind)
    }

    fn edges_under(&self, node: String, kind: Option<&str>) -> Result<Vec<Edge>> {
        let prefix = kind.map_or(node.clone(), |kind| format!("{node}{kind}:"));
        let mut edges = Vec::new();
        let mut iter = self.store.snapshot().iter(self.edges, prefix.as_bytes(), None);
        iter.seek_to_first();
        while iter.valid() && iter.key().starts_with(prefix.as_bytes()) {
            let rest = String::from_utf8_lossy(&iter.key()[node.len()..]).into_owned();
            if let Some((kind, node)) = rest.split_once(':') {
                let properties = String::from_utf8_lossy(iter.value()).into_owned();
                edges.push(Edge { kind: kind.into(), node: node.into(), properties });
            }
            iter.next();
        }
        iter.status()?;
        Ok(edges)
    }

    /// All nodes that can be reached, breadth first.
    fn reachable(&self, start: &str) -> Result<BTreeSet<String>> {
        let (mut seen, mut queue) = (BTreeSet::new(), VecDeque::from([start.to_owned()]));
        while let Some(node) = queue.pop_front() {
            for edge in self.outgoing(&node, None)? {
                if seen.insert(edge.node.clone()) {
                    queue.push_back(edge.node);
                }
            }
        }
        Ok(seen)
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(Options::new(directory.path()))?;
    let edges = store.create_table("edges", TableKind::Ordered)?;
    let graph = Graph { store, edges };

    graph.add_edge("alice", "bob", "follows", r#"{"since":2020}"#)?;
    graph.add_edge("alice", "carol", "follows", r#"{"since":2021}"#)?;
    graph.add_edge("alice", "acme", "works_at", "{}")?;
    graph.add_edge("bob", "dave", "follows", "{}")?;
    graph.add_edge("alice2", "eve", "follows", "{}")?;

    assert_eq!(graph.outgoing("alice", None)?.len(), 3);
    let follows = graph.outgoing("alice", Some("follows"))?;
    assert_eq!(follows.iter().map(|edge| edge.node.as_str()).collect::<Vec<_>>(), ["bob", "carol"]);
    assert_eq!(follows[0].properties, r#"{"since":2020}"#);
    let incoming = graph.incoming("bob", None)?;
    assert_eq!(
        incoming,
        [Edge { kind: "follows".into(), node: "alice".into(), properties: follows[0].properties.clone() }]
    );
    let reachable = graph.reachable("alice")?;
    assert_eq!(reachable.iter().map(String::as_str).collect::<Vec<_>>(), ["acme", "bob", "carol", "dave"]);
    println!("alice reaches {reachable:?}");
    Ok(())
}
