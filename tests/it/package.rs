//! The Debian package: built from the daemon at hand, unpacked, and its files used from where they are put.

use std::path::Path;
use std::process::Command;

use crate::server::installed;

#[test]
fn the_debian_package_holds_a_daemon_that_runs_with_its_configuration() {
    if installed("dpkg-deb").is_none() || installed("strip").is_none() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let directory = tempfile::tempdir().unwrap();
    let built = Command::new(root.join("packaging/build-deb"))
        .env("ENNEAD_BINARY", env!("CARGO_BIN_EXE_ennead"))
        .env("ENNEAD_PACKAGES", directory.path())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let package = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let unpacked = directory.path().join("unpacked");
    let status = Command::new("dpkg-deb").arg("-x").args([&package, &unpacked]).status().unwrap();
    assert!(status.success());
    let check = Command::new(unpacked.join("usr/bin/ennead"))
        .args(["check-config", "--config"])
        .arg(unpacked.join("etc/ennead/ennead.toml"))
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    for file in
        ["usr/lib/systemd/system/ennead.service", "usr/share/man/man1/ennead.1.gz", "usr/share/doc/ennead/copyright"]
    {
        assert!(unpacked.join(file).is_file(), "{file}");
    }
    let unit = std::fs::read_to_string(unpacked.join("usr/lib/systemd/system/ennead.service")).unwrap();
    assert!(unit.contains("/usr/bin/ennead") && unit.contains("/etc/ennead/ennead.toml"), "{unit}");
}
