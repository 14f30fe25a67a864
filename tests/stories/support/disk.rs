//! A small disk that can be full.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// A tmpfs, gone when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// One with room for so many MiB; none where it is not allowed, as to all but root.
    pub fn mount(mib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap().keep();
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder).output();
        let disk = Self(folder);
        mounted.is_ok_and(|mounted| mounted.status.success()).then_some(disk)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file that takes all the room there is.
    pub fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![0; size];
            let error = std::iter::repeat_with(|| file.write_all(&block)).find_map(Result::err);
            assert_eq!(error.unwrap().kind(), ErrorKind::StorageFull);
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It is gone once nobody has a file there any more.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
        let _ = fs::remove_dir(&self.0);
    }
}
