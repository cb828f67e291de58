//! Answers written to the client, as broken as a fault says.

use std::io;
use std::time::Duration;

use http::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::Fault;
use super::wire::{Answer, RequestHead};

pub(super) async fn write_answer(
    client: &mut TcpStream,
    head: &RequestHead,
    mut answer: Answer,
    fault: Option<Fault>,
) -> io::Result<()> {
    match &fault {
        Some(Fault::LoseAnswer) => return client.set_zero_linger(),
        Some(Fault::WithholdAnswer) => return std::future::pending().await,
        Some(Fault::ClaimLength(more)) => answer.length = answer.length.map(|length| (length + more).max(0)),
        Some(Fault::Rewrite(rewrite)) => {
            answer.body = rewrite(head, answer.body);
            answer.length = Some(answer.body.len() as i64);
        }
        _ => {}
    }
    client.write_all(&answer.head()).await?;
    let body = &answer.body;
    let (first, second) = match fault {
        Some(
            Fault::ResetAfter(bytes)
            | Fault::TruncateAfter(bytes)
            | Fault::HangAfter(bytes)
            | Fault::StallAfter { bytes, .. },
        ) => body.split_at(bytes.min(body.len())),
        _ => body.split_at(body.len()),
    };
    match fault {
        Some(Fault::Drip { bytes, pause }) => {
            for drop in first.chunks(bytes.max(1)) {
                client.write_all(drop).await?;
                tokio::time::sleep(pause).await;
            }
        }
        _ => client.write_all(first).await?,
    }
    match fault {
        Some(Fault::ResetAfter(_)) => {
            // A reset overtakes what the client has not read yet: give it the time to see the first bytes.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return client.set_zero_linger();
        }
        Some(Fault::HangAfter(_)) => return std::future::pending().await,
        Some(Fault::StallAfter { pause, .. }) => {
            tokio::time::sleep(pause).await;
            client.write_all(second).await?;
        }
        _ => {}
    }
    finish(client).await
}

pub(super) async fn write_error(client: &mut TcpStream, status: u16) -> io::Result<()> {
    // The code counts more than the status.
    let code = match status {
        400 => "InvalidRequest",
        403 => "AccessDenied",
        507 => "XMinioStorageFull",
        _ => "SlowDown",
    };
    write_status(client, status, &format!("<Error><Code>{code}</Code><Message>Injected.</Message></Error>")).await
}

/// With a code of S3. An answer to HEAD has no body.
pub(super) async fn write_code(
    client: &mut TcpStream,
    head: &RequestHead,
    status: u16,
    code: &str,
    text: &str,
) -> io::Result<()> {
    let body = format!("<Error><Code>{code}</Code><Message>{text}</Message></Error>");
    write_status(client, status, if head.method == Method::HEAD { "" } else { &body }).await
}

/// As a gateway answers whose server does not.
pub(super) async fn write_bad_gateway(client: &mut TcpStream) -> io::Result<()> {
    write_status(client, 502, "<html><body>Bad Gateway</body></html>").await
}

async fn write_status(client: &mut TcpStream, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Injected\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\n");
    client.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await?;
    finish(client).await
}

/// Closes in good order: a socket closed with unread bytes sends a reset, which may overtake the answer.
async fn finish(client: &mut TcpStream) -> io::Result<()> {
    client.shutdown().await?;
    let mut sink = tokio::io::sink();
    tokio::time::timeout(Duration::from_secs(1), tokio::io::copy(client, &mut sink)).await.ok();
    Ok(())
}
