//! The generated files in the repository are what the code generates now.

use std::path::{Path, PathBuf};
use std::process::Command;

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

#[test]
fn generated_files_are_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_ennead")).arg("generate").arg(folder.path()).status().unwrap();
    assert!(status.success());
    let mut generated = Vec::new();
    files_below(folder.path(), &mut generated);
    assert!(generated.len() >= 10, "{generated:?}");
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    for file in generated {
        let path = file.strip_prefix(folder.path()).unwrap();
        let ours = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        let fresh = std::fs::read_to_string(&file).unwrap();
        assert!(ours == fresh, "{} is not what the code says; run `make docs`", path.display());
    }
}
