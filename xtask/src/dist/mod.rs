//! `cargo xtask dist`: what people install who have no compiler. By hand, before a release.
//!
//! The binary is linked against an old C library, so that it runs on systems of the last ten
//! years, and has no path of this computer in it. The archive and the wheel have the same binary.

mod elf;
mod licenses;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use sha2::{Digest, Sha256};
use xtask::{invocation, python, workspace};

/// The compiler and linker, pinned, relative to the root.
const REQUIREMENTS: &str = "xtask/dist/requirements.txt";

/// Writes the archive and the wheel, relative to the root.
const PACKER: &str = "xtask/dist/pack.py";

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The oldest C library that the Rust standard library for this target works with.
const C_LIBRARY: (u32, u32) = (2, 17);

const VERSION: &str = env!("CARGO_PKG_VERSION");

const SHELLS: [(&str, &str); 5] = [
    ("bash", "trailproof.bash"),
    ("elvish", "trailproof.elv"),
    ("fish", "trailproof.fish"),
    ("powershell", "_trailproof.ps1"),
    ("zsh", "_trailproof"),
];

/// Options of `dist`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Build a second time in another folder, and say whether the binaries are the same.
    #[arg(long)]
    twice: bool,
    /// Pack this binary, which was built before, instead of building one.
    #[arg(long, value_name = "FILE", conflicts_with = "twice")]
    binary: Option<PathBuf>,
}

/// Builds, packs and reports.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let python = python::environment_of(REQUIREMENTS)?;
    let out = workspace::target().join("dist");
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => build(&python, &out.join("build"))?,
    };
    let program = read(&binary)?;
    let floor = elf::newest_c_library(&program)
        .ok_or("the binary asks for no version of the C library: it is not linked as expected")?;
    if floor > C_LIBRARY {
        return Err(format!(
            "the binary needs version {}.{} of the C library, and {}.{} was asked for",
            floor.0, floor.1, C_LIBRARY.0, C_LIBRARY.1
        ));
    }
    let name = format!("trailproof-{VERSION}-{TARGET}");
    let folder = out.join("content").join(&name);
    fill(&folder, &binary)?;
    let archive = out.join(format!("{name}.tar.gz"));
    let platform = format!("manylinux_{}_{}_x86_64", C_LIBRARY.0, C_LIBRARY.1);
    let wheel = out.join(format!("trailproof_cli-{VERSION}-py3-none-{platform}.whl"));
    let packed = Command::new(&python)
        .arg(workspace::root().join(PACKER))
        .args([&folder, &archive, &wheel])
        .args([VERSION, &platform, &commit_time()?])
        .current_dir(workspace::root())
        .status();
    if !packed.is_ok_and(|status| status.success()) {
        return Err(format!("`{PACKER}` failed"));
    }
    let mut sums = String::new();
    for file in [&archive, &wheel] {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let content = read(file)?;
        let sum = digest(&content);
        println!("{:>10}  {sum}  {name}", size(&content));
        let _ = writeln!(sums, "{sum}  {name}");
    }
    write(&out.join("SHA256SUMS"), sums)?;
    println!(
        "{:>10}  {}  the binary, which needs version {}.{} of the C library or a later one",
        size(&program),
        digest(&program),
        floor.0,
        floor.1
    );
    if options.twice {
        let again = read(&build(&python, &out.join("again"))?)?;
        if again == program {
            println!("built twice, in two folders: the same binary, byte for byte");
        } else {
            return Err(format!(
                "built twice, in two folders: the second binary has the sum {}",
                digest(&again)
            ));
        }
    }
    Ok(())
}

/// Builds the binary into a folder of its own, so that the usual builds keep what they have.
fn build(python: &Path, target: &Path) -> Result<PathBuf, String> {
    let programs = python.parent().ok_or("the environment has no programs")?;
    let path = std::env::join_paths(
        std::iter::once(programs.to_owned()).chain(std::env::split_paths(&variable("PATH"))),
    )
    .map_err(|error| format!("PATH cannot be set: {error}"))?;
    let home = variable("HOME");
    let cargo_home = match variable("CARGO_HOME") {
        empty if empty.is_empty() => Path::new(&home).join(".cargo"),
        set => PathBuf::from(set),
    };
    // In this order, because the last that fits is taken.
    let places = [
        (workspace::root(), "/trailproof"),
        (cargo_home.as_path(), "/cargo"),
        (target, "/target"),
    ];
    let remapped = |flag: &str, separator: &str| {
        places
            .map(|(place, name)| format!("{flag}={}={name}", place.display()))
            .join(separator)
    };
    invocation::run(
        Command::new("cargo")
            .current_dir(workspace::root())
            .args(["zigbuild", "--release", "--locked"])
            .args(["--package", "trailproof", "--target"])
            .arg(format!("{TARGET}.{}.{}", C_LIBRARY.0, C_LIBRARY.1))
            .env("PATH", path)
            .env("CARGO_TARGET_DIR", target)
            .env(
                "CARGO_ENCODED_RUSTFLAGS",
                remapped("--remap-path-prefix", "\u{1f}"),
            )
            .env("CFLAGS", remapped("-ffile-prefix-map", " "))
            .env("SOURCE_DATE_EPOCH", commit_time()?),
    )
    .map_err(|failure| failure.to_string())?;
    Ok(target.join(TARGET).join("release").join("trailproof"))
}

/// Fills the folder of the archive.
fn fill(folder: &Path, binary: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .map_err(|error| format!("`{}` could not be removed: {error}", folder.display()))?;
    }
    for name in ["LICENSE", "README.md", "CHANGELOG.md"] {
        write(&folder.join(name), read(&workspace::root().join(name))?)?;
    }
    write(&folder.join("trailproof"), read(binary)?)?;
    write(
        &folder.join("THIRD-PARTY-LICENSES.txt"),
        licenses::of_what_is_linked(TARGET)?,
    )?;
    for (shell, name) in SHELLS {
        let script = invocation::capture(
            Command::new(binary)
                .args(["completions", shell])
                .current_dir(workspace::root()),
        )
        .map_err(|failure| failure.to_string())?;
        write(&folder.join("completions").join(name), script)?;
    }
    for (name, page) in manual()? {
        write(&folder.join("man").join(name), page)?;
    }
    Ok(())
}

/// The manual pages, made by a build that has the feature for it: the released binary has not. The
/// other options are those of `read_only::build`, for the same reason.
fn manual() -> Result<std::collections::BTreeMap<String, String>, String> {
    let mut build = Command::new("cargo");
    build.current_dir(workspace::root()).args([
        "build",
        "--workspace",
        "--features",
        "trailproof/manual",
        "--bin",
        "trailproof",
        "--test",
        "fix_read_only",
    ]);
    invocation::run(&mut build).map_err(|failure| failure.to_string())?;
    let pages = invocation::capture(
        Command::new(workspace::target().join("debug").join("trailproof"))
            .args(["generate", "manual"])
            .current_dir(workspace::root()),
    )
    .map_err(|failure| failure.to_string())?;
    serde_json::from_slice(&pages).map_err(|error| format!("manual pages: {error}"))
}

/// When the commit was made, in seconds since 1970: what is packed is dated so, and two people who
/// pack the same commit pack the same.
fn commit_time() -> Result<String, String> {
    let time = invocation::capture(Command::new("git").current_dir(workspace::root()).args([
        "-c",
        "safe.directory=*",
        "log",
        "-1",
        "--format=%ct",
    ]))
    .map_err(|failure| failure.to_string())?;
    Ok(String::from_utf8_lossy(&time).trim().to_owned())
}

#[allow(
    clippy::disallowed_methods,
    reason = "a developer task reads what cargo reads"
)]
fn variable(name: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_default()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("`{}` could not be read: {error}", path.display()))
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, content))
        .map_err(|error| format!("`{}` could not be written: {error}", path.display()))
}

fn digest(content: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(content) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn size(content: &[u8]) -> String {
    let hundredths = content.len() / 10_486;
    format!("{}.{:02} MiB", hundredths / 100, hundredths % 100)
}
