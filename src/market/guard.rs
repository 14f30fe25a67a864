//! The look-ahead guard: the one place that drops data that was not known at the close of the analysis date,
//! whatever a vendor gave. The close is that of the instrument's exchange ([`calendar`](super::calendar)).

use super::{
    Article, InsiderTrade, Observation, Period, Post, Profile, Window,
    calendar::{self, Cutoff, KnownAt},
};

/// Something that was not always known.
pub trait Known {
    /// When it became known.
    fn known_at(&self) -> KnownAt;
}

/// The items that were known at the close.
pub fn known_by<T: Known>(items: Vec<T>, cutoff: Cutoff) -> Vec<T> {
    items.into_iter().filter(|item| item.known_at().is_by(cutoff)).collect()
}

/// The items that became known within the window.
pub fn known_within<T: Known>(items: Vec<T>, window: Window) -> Vec<T> {
    items.into_iter().filter(|item| window.contains(item.known_at())).collect()
}

impl Known for Article {
    fn known_at(&self) -> KnownAt {
        self.published.into()
    }
}

impl Known for Post {
    fn known_at(&self) -> KnownAt {
        self.written.into()
    }
}

impl Known for InsiderTrade {
    /// Form 4 is due at the end of the second business day after the trade (Securities Exchange Act, section 16(a)), hours
    /// after the close, so it counts from the next trading day.
    fn known_at(&self) -> KnownAt {
        KnownAt::Close(calendar::public_after_business_days(self.date, 2))
    }
}

impl Known for Period {
    fn known_at(&self) -> KnownAt {
        KnownAt::Close(self.known)
    }
}

impl Known for Profile {
    fn known_at(&self) -> KnownAt {
        KnownAt::Close(self.known)
    }
}

impl Known for Observation {
    /// When it was published; of a vendor that does not say so, the day that the value is of.
    fn known_at(&self) -> KnownAt {
        self.published.map_or(KnownAt::Close(self.date), KnownAt::Time)
    }
}
