//! # connector — the one program that makes sockets of the internet
//!
//! The core asks for one connection by one frame; what goes back is a connected
//! descriptor, or one sentence that says why not. It decides nothing: who may reach
//! what is settled before it is asked, and it holds every address that it is about
//! to dial against what it was told. It never sees a byte of what passes.
//!
//! | module | does |
//! |---|---|
//! | [`link`] | the connection to the core: descriptor 0 |
//! | [`host`] | what a host's text is: a name, or an address in its one spelling |
//! | [`class`] | which addresses are public |
//! | [`names`] | names → addresses, by the machine's name servers and hosts file |
//! | [`race`] | several addresses of one host: the first that answers wins |
//! | [`job`] | one connection, from its order to its outcome |
//! | [`listen`] | listeners |
//! | [`serve`] | the loop |
//!
//! It is started by the core, locked by profile `connector`, and reads no file:
//! what `resolv.conf` and `hosts` say comes over the link.

mod class;
mod host;
mod job;
mod link;
mod listen;
mod names;
mod race;
mod serve;

use std::process::ExitCode;

use link::Link;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::FAILURE;
    };
    let outcome = runtime.block_on(async { serve::serve(Link::on_descriptor_0()?).await });
    // Nobody reads what it would print; the core sees its status.
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
