//! What one-time things and sessions do when one request comes after the other. A history is right if it could have been made so.

use stateright::semantics::SequentialSpec;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Presents the thing.
    Present,
    /// Presents it again, after the time in which a repetition is taken for the same request.
    PresentLate,
    /// Reads the session.
    Read,
    /// Ends the session.
    End,
}

/// What it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ret {
    /// Taken, read or ended; with the token that followed, if one does.
    Accepted(Option<String>),
    Refused,
}

/// The kind of a thing, and the state that it begins in.
#[derive(Clone, Debug)]
pub(crate) enum Register {
    Once(Once),
    Refresh(Refresh),
    Session(Session),
}

impl Register {
    pub(crate) fn named(model: &str) -> Option<Self> {
        Some(match model {
            "once" => Self::Once(Once::Free),
            "refresh" => Self::Refresh(Refresh::Free),
            "session" => Self::Session(Session::Live),
            _ => return None,
        })
    }

    /// Whether this operation changes anything when nobody knows its outcome.
    pub(crate) fn may_change_by(op: Op) -> bool {
        op != Op::Read
    }
}

impl SequentialSpec for Register {
    type Op = Op;
    type Ret = Ret;

    /// For operations without an answer that had their effect after all.
    fn invoke(&mut self, op: &Op) -> Ret {
        match self {
            Self::Once(state) => state.take(),
            Self::Refresh(state) => state.take(),
            Self::Session(state) => state.apply(*op),
        }
    }

    fn is_valid_step(&mut self, op: &Op, ret: &Ret) -> bool {
        match self {
            Self::Once(state) => state.take() == *ret,
            Self::Refresh(state) => state.is_valid(*op, ret),
            Self::Session(state) => state.apply(*op) == *ret,
        }
    }
}

/// Accepted once, refused from then on, and not before.
#[derive(Clone, Debug)]
pub(crate) enum Once {
    Free,
    Taken,
}

impl Once {
    fn take(&mut self) -> Ret {
        match std::mem::replace(self, Self::Taken) {
            Self::Free => Ret::Accepted(None),
            Self::Taken => Ret::Refused,
        }
    }
}

/// A refresh token. For a while, everybody who presents it gets the same next one; later it ends all tokens of its login.
#[derive(Clone, Debug)]
pub(crate) enum Refresh {
    Free,
    /// With the token that followed, as soon as somebody has seen it.
    Taken(Option<String>),
    Ended,
}

impl Refresh {
    fn take(&mut self) -> Ret {
        if let Self::Free = self {
            *self = Self::Taken(None);
        }
        Ret::Refused
    }

    fn is_valid(&mut self, op: Op, ret: &Ret) -> bool {
        let Ret::Accepted(next) = ret else {
            let was_taken = !matches!(self, Self::Free);
            *self = Self::Ended;
            return was_taken;
        };
        let is_valid = match self {
            // Nobody knows when somebody without an answer took it.
            Self::Free | Self::Taken(None) => next.is_some(),
            Self::Taken(followed) => op == Op::Present && followed == next,
            Self::Ended => false,
        };
        *self = Self::Taken(next.clone());
        is_valid
    }
}

/// Read while it lives, and not any more once it has ended.
#[derive(Clone, Debug)]
pub(crate) enum Session {
    Live,
    Ended,
}

impl Session {
    fn apply(&mut self, op: Op) -> Ret {
        match (&self, op) {
            (Self::Live, Op::End) => {
                *self = Self::Ended;
                Ret::Accepted(None)
            }
            (Self::Live, _) => Ret::Accepted(None),
            // Signing out where nobody is signed in is no error.
            (Self::Ended, Op::End) => Ret::Accepted(None),
            (Self::Ended, _) => Ret::Refused,
        }
    }
}
