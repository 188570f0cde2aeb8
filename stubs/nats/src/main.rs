//! The program of the stub: one thread, and its link on descriptor 0.

use std::process::ExitCode;

use protocol::client::Error;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::FAILURE;
    };
    match runtime.block_on(stub_nats::stub::run()) {
        Ok(()) | Err(Error::Closed) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
