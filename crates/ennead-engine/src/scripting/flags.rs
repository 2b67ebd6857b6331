//! What a script or a function says about itself.

/// A set of flags. Those about clusters and about replicas that lost their leader are kept and shown, and allow nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ScriptFlags(u8);

const NO_WRITES: u8 = 1;
const ALLOW_OOM: u8 = 2;
/// It has a first line of flags, if only of none.
const DECLARED: u8 = 0x80;

/// In the order in which they are shown.
const NAMES: [(&str, u8); 5] = [
    ("no-writes", NO_WRITES),
    ("allow-oom", ALLOW_OOM),
    ("allow-stale", 4),
    ("no-cluster", 8),
    ("allow-cross-slot-keys", 16),
];

impl ScriptFlags {
    /// Of what says nothing yet, though it could.
    pub(super) fn declared() -> ScriptFlags {
        ScriptFlags(DECLARED)
    }

    /// False if there is no flag of this name.
    pub(super) fn add(&mut self, name: &str) -> bool {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        self.0 |= found.map_or(0, |(_, flag)| *flag);
        found.is_some()
    }

    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        NAMES.iter().filter(move |(_, flag)| self.0 & flag != 0).map(|(name, _)| *name)
    }

    /// It says that it does not write.
    pub(crate) fn no_writes(self) -> bool {
        self.0 & NO_WRITES != 0
    }

    /// It is to run whatever the memory; one that says nothing may run, and its calls are checked.
    pub(super) fn allows_full(self) -> bool {
        self.0 & (NO_WRITES | ALLOW_OOM) != 0
    }

    /// Its writes are not checked, as it asked for that.
    pub(super) fn allows_growth(self) -> bool {
        self.0 & ALLOW_OOM != 0
    }

    pub(crate) fn is_declared(self) -> bool {
        self.0 & DECLARED != 0
    }
}
