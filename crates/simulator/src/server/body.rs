//! Bodies of answers: whole, cut short, or in slow pieces.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// As it should be.
    Whole(Option<Bytes>),
    /// A part, and then an error that breaks the connection. The announced length is that of the
    /// whole.
    Truncated {
        part: Option<Bytes>,
        length: u64,
        /// Lets the part be sent before the connection breaks.
        sleep: Pin<Box<Sleep>>,
    },
    /// A part, and blanks for ever.
    Endless {
        part: Option<Bytes>,
        /// hyper keeps what is ready at once: without a pause that is memory without end.
        sleep: Pin<Box<Sleep>>,
    },
    /// Pieces with pauses between them.
    Dripping {
        rest: Bytes,
        pause: Duration,
        sleep: Pin<Box<Sleep>>,
    },
}

/// How many pieces a dripping body comes in.
const PIECES: usize = 16;

impl Answer {
    pub(crate) fn whole(body: Bytes) -> Self {
        Self::Whole(Some(body))
    }

    pub(crate) fn truncated(body: &Bytes) -> Self {
        Self::Truncated {
            part: Some(body.slice(..body.len() / 2)),
            length: u64::try_from(body.len()).unwrap_or(u64::MAX),
            sleep: Box::pin(tokio::time::sleep(Duration::from_millis(1))),
        }
    }

    pub(crate) fn endless(body: Bytes) -> Self {
        Self::Endless {
            part: Some(body),
            sleep: Box::pin(tokio::time::sleep(BETWEEN_BLANKS)),
        }
    }

    pub(crate) fn dripping(body: Bytes, pause: Duration) -> Self {
        Self::Dripping {
            rest: body,
            pause,
            sleep: Box::pin(tokio::time::sleep(pause)),
        }
    }
}

/// What an endless body is made of.
const BLANKS: Bytes = Bytes::from_static(&[b' '; 1 << 18]);
const BETWEEN_BLANKS: Duration = Duration::from_millis(1);

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Self::Truncated { part, sleep, .. } => match part.take() {
                Some(part) if !part.is_empty() => Poll::Ready(Some(Ok(Frame::data(part)))),
                _ => {
                    ready!(sleep.as_mut().poll(context));
                    Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
                }
            },
            Self::Endless { part, sleep } => {
                if let Some(part) = part.take() {
                    return Poll::Ready(Some(Ok(Frame::data(part))));
                }
                ready!(sleep.as_mut().poll(context));
                *sleep = Box::pin(tokio::time::sleep(BETWEEN_BLANKS));
                Poll::Ready(Some(Ok(Frame::data(BLANKS))))
            }
            Self::Dripping { rest, pause, sleep } => {
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                ready!(sleep.as_mut().poll(context));
                let size = (rest.len() / PIECES).max(64).min(rest.len());
                let piece = rest.split_to(size);
                *sleep = Box::pin(tokio::time::sleep(*pause));
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Self::Truncated { .. } | Self::Endless { .. } => false,
            Self::Dripping { rest, .. } => rest.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let length = match self {
            Self::Whole(body) => body.as_ref().map_or(0, Bytes::len),
            Self::Truncated { length, .. } => return SizeHint::with_exact(*length),
            Self::Endless { .. } => return SizeHint::default(),
            Self::Dripping { rest, .. } => rest.len(),
        };
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}
