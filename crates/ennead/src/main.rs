//! The daemon: puts the crates together and decides nothing. Flags and settings in [`config`], sockets in
//! [`listeners`], the run from start to stop in [`serve`], commands over data at rest in [`maintenance`], the copying of
//! other servers in [`import`], snapshot files in [`export`].

mod allocator;
mod arguments;
mod config;
mod descriptors;
mod export;
mod generate;
mod import;
mod listeners;
mod logging;
mod maintenance;
mod meter;
mod peer;
mod serve;
mod service;
mod shutdown;
mod tls;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::CheckConfig(arguments) => serve::check(&arguments),
        Command::Backup(arguments) => maintenance::backup(&arguments),
        Command::Restore(arguments) => maintenance::restore(&arguments),
        Command::Repair(arguments) => maintenance::repair(&arguments),
        Command::Compact(arguments) => maintenance::compact(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Version => maintenance::version(),
        Command::Generate(arguments) => generate::run(&arguments.root),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // One line: what is wrong and what to do. A closed error stream leaves only the exit code.
            let _ = writeln!(std::io::stderr(), "ennead: {}", message.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}
