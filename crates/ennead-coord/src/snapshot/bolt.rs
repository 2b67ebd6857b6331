//! The file format of etcd's database, bbolt: pages of 4 KiB, in them a tree of tables ("buckets"), each a tree of rows.
//!
//! Rows come in the order of their keys, so each page is written once and full: leaves as they fill up, and at the end
//! of a table the levels above them. The first pages tell where the tree begins, which is known only at the end: so the
//! same rows go through a [`Layout`] first, that only counts, and then through a [`File`].
//!
//! # Format
//! All numbers are little endian. A page: its number (8 bytes), flags (2), elements (2), further pages that it takes (4);
//! the elements; their keys and values. An element of a leaf: flags (4), distance from here to its key (4), bytes of key
//! and of value (4, 4); of a branch: distance (4), bytes of key (4), page (8). Page 0 and 1 are copies of the head, page
//! 2 lists free pages, of which there are none.

#[cfg(test)]
mod tests;

const PAGE_BYTES: usize = 4096;
const PAGE_HEAD_BYTES: usize = 16;
const ELEMENT_BYTES: usize = 16;
/// Pages before the first row.
const FIRST_PAGE: u64 = 3;
const ELEMENTS_MAX: usize = u16::MAX as usize - 1;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const HEAD: u16 = 0x04;
const FREE: u16 = 0x10;

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Flag of an element of a leaf whose value is a table.
const TABLE: u32 = 0x01;

/// Takes bytes of the file, in order.
pub(super) trait Sink {
    fn write(&mut self, bytes: &[u8]);
}

/// Takes tables in the order of their names, and the rows of each in the order of their keys.
pub(super) trait Tables {
    fn table(&mut self, name: &str);
    fn row(&mut self, key: &[u8], value: &[u8]);
}

/// Where everything will be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    root: u64,
    pages: u64,
}

impl Plan {
    pub(super) fn bytes(self) -> u64 {
        self.pages * PAGE_BYTES as u64
    }
}

/// Counts pages.
#[derive(Default)]
struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _bytes: &[u8]) {}
}

/// The first pass.
pub(super) struct Layout(Builder<Nowhere>);

impl Default for Layout {
    fn default() -> Self {
        Layout(Builder::new(Nowhere))
    }
}

impl Layout {
    pub(super) fn finish(self) -> Plan {
        let (root, pages, _) = self.0.finish();
        Plan { root, pages }
    }
}

impl Tables for Layout {
    fn table(&mut self, name: &str) {
        self.0.table(name);
    }

    fn row(&mut self, key: &[u8], value: &[u8]) {
        self.0.row(key, value);
    }
}

/// The second pass.
pub(super) struct File<S>(Builder<S>);

impl<S: Sink> File<S> {
    pub(super) fn new(plan: Plan, mut sink: S) -> File<S> {
        for number in 0..2 {
            sink.write(&head(plan, number));
        }
        let mut free = page_head(2, FREE, 0, 0).to_vec();
        free.resize(PAGE_BYTES, 0);
        sink.write(&free);
        File(Builder::new(sink))
    }

    pub(super) fn finish(self) -> S {
        self.0.finish().2
    }
}

impl<S: Sink> Tables for File<S> {
    fn table(&mut self, name: &str) {
        self.0.table(name);
    }

    fn row(&mut self, key: &[u8], value: &[u8]) {
        self.0.row(key, value);
    }
}

fn page_head(number: u64, flags: u16, count: usize, further: usize) -> [u8; PAGE_HEAD_BYTES] {
    let mut head = [0; PAGE_HEAD_BYTES];
    head[..8].copy_from_slice(&number.to_le_bytes());
    head[8..10].copy_from_slice(&flags.to_le_bytes());
    head[10..12].copy_from_slice(&(count as u16).to_le_bytes());
    head[12..].copy_from_slice(&(further as u32).to_le_bytes());
    head
}

/// Page 0 or 1: what the file is, where its tree of tables begins, how many pages there are.
fn head(plan: Plan, number: u64) -> Vec<u8> {
    let mut body = Vec::new();
    for word in [MAGIC, VERSION, PAGE_BYTES as u32, 0] {
        body.extend_from_slice(&word.to_le_bytes());
    }
    // The root, its sequence, the list of free pages, the number of pages, the transaction.
    for word in [plan.root, 0, 2, plan.pages, number] {
        body.extend_from_slice(&word.to_le_bytes());
    }
    body.extend_from_slice(&fnv64(&body).to_le_bytes());
    let mut page = page_head(number, HEAD, 0, 0).to_vec();
    page.extend_from_slice(&body);
    page.resize(PAGE_BYTES, 0);
    page
}

/// FNV-1a.
fn fnv64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The pages of one level: elements of a leaf or a branch, until they fill a page.
struct Level {
    flags: u16,
    elements: Vec<(u32, Vec<u8>, Vec<u8>, u64)>,
    bytes: usize,
}

impl Level {
    fn new(flags: u16) -> Level {
        Level { flags, elements: Vec::new(), bytes: PAGE_HEAD_BYTES }
    }

    fn fits(&self, more: usize) -> bool {
        self.elements.len() < ELEMENTS_MAX && self.bytes + ELEMENT_BYTES + more <= PAGE_BYTES
    }

    fn encode(&self, number: u64) -> Vec<u8> {
        let pages = self.bytes.div_ceil(PAGE_BYTES);
        let mut page = page_head(number, self.flags, self.elements.len(), pages - 1).to_vec();
        let mut data = PAGE_HEAD_BYTES + ELEMENT_BYTES * self.elements.len();
        for (at, (flags, key, value, child)) in self.elements.iter().enumerate() {
            let distance = (data - (PAGE_HEAD_BYTES + ELEMENT_BYTES * at)) as u32;
            let key_bytes = key.len() as u32;
            if self.flags == LEAF {
                for word in [*flags, distance, key_bytes, value.len() as u32] {
                    page.extend_from_slice(&word.to_le_bytes());
                }
            } else {
                page.extend_from_slice(&distance.to_le_bytes());
                page.extend_from_slice(&key_bytes.to_le_bytes());
                page.extend_from_slice(&child.to_le_bytes());
            }
            data += key.len() + value.len();
        }
        for (_, key, value, _) in &self.elements {
            page.extend_from_slice(key);
            page.extend_from_slice(value);
        }
        page.resize(pages * PAGE_BYTES, 0);
        page
    }
}

/// Makes trees of rows. In the first pass it does everything but keep the bytes, so that the second comes out the same.
struct Builder<S> {
    sink: S,
    next_page: u64,
    /// The table under way, and those that are done, with their roots.
    name: Option<String>,
    tables: Vec<(String, u64)>,
    tree: Tree,
}

/// The tree of one table: the leaf under way, and the first keys and numbers of those before it.
struct Tree {
    leaf: Level,
    below: Vec<(Vec<u8>, u64)>,
}

impl Tree {
    fn new() -> Tree {
        Tree { leaf: Level::new(LEAF), below: Vec::new() }
    }
}

impl<S: Sink> Builder<S> {
    fn new(sink: S) -> Builder<S> {
        Builder { sink, next_page: FIRST_PAGE, name: None, tables: Vec::new(), tree: Tree::new() }
    }

    fn table(&mut self, name: &str) {
        self.end_table();
        self.name = Some(name.to_owned());
    }

    fn row(&mut self, key: &[u8], value: &[u8]) {
        self.add(0, key, value);
    }

    fn add(&mut self, flags: u32, key: &[u8], value: &[u8]) {
        let more = key.len() + value.len();
        if !self.tree.leaf.elements.is_empty() && !self.tree.leaf.fits(more) {
            let full = std::mem::replace(&mut self.tree.leaf, Level::new(LEAF));
            self.put_leaf(&full);
        }
        self.tree.leaf.bytes += ELEMENT_BYTES + more;
        self.tree.leaf.elements.push((flags, key.to_vec(), value.to_vec(), 0));
    }

    fn put_leaf(&mut self, leaf: &Level) {
        let number = self.put(leaf);
        let first = leaf.elements.first().map(|element| element.1.clone()).unwrap_or_default();
        self.tree.below.push((first, number));
    }

    fn put(&mut self, level: &Level) -> u64 {
        let number = self.next_page;
        let page = level.encode(number);
        self.next_page += (page.len() / PAGE_BYTES) as u64;
        self.sink.write(&page);
        number
    }

    /// Ends a tree; answers its root.
    fn end_tree(&mut self) -> u64 {
        let Tree { leaf, below } = std::mem::replace(&mut self.tree, Tree::new());
        self.tree.below = below;
        // An empty table has an empty leaf.
        if !leaf.elements.is_empty() || self.tree.below.is_empty() {
            self.put_leaf(&leaf);
        }
        let mut below = std::mem::take(&mut self.tree.below);
        while below.len() > 1 {
            below = self.put_branches(below);
        }
        below.first().map_or(0, |(_, number)| *number)
    }

    /// The level above.
    fn put_branches(&mut self, below: Vec<(Vec<u8>, u64)>) -> Vec<(Vec<u8>, u64)> {
        let mut above = Vec::new();
        let mut branch = Level::new(BRANCH);
        for (key, number) in below {
            // Two at least, or there would be no end of levels.
            if branch.elements.len() >= 2 && !branch.fits(key.len()) {
                let first = branch.elements[0].1.clone();
                above.push((first, self.put(&branch)));
                branch = Level::new(BRANCH);
            }
            branch.bytes += ELEMENT_BYTES + key.len();
            branch.elements.push((0, key, Vec::new(), number));
        }
        let first = branch.elements[0].1.clone();
        above.push((first, self.put(&branch)));
        above
    }

    fn end_table(&mut self) {
        if let Some(name) = self.name.take() {
            let root = self.end_tree();
            self.tables.push((name, root));
        }
    }

    /// Puts the tree of tables behind them; answers its root, the number of pages, and the sink.
    fn finish(mut self) -> (u64, u64, S) {
        self.end_table();
        for (name, root) in std::mem::take(&mut self.tables) {
            // Where the table begins, and a counter that etcd does not use.
            let value = [root.to_le_bytes(), [0; 8]].concat();
            self.add(TABLE, name.as_bytes(), &value);
        }
        let root = self.end_tree();
        (root, self.next_page, self.sink)
    }
}
