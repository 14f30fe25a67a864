//! The ids of jobs and batches.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later than every one that this process made before.
            #[expect(clippy::new_without_default, reason = "each call gives another id")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as a number; the numbers' order is the ids' order.
            pub fn as_u128(self) -> u128 {
                self.0.as_u128()
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A job's id: a UUID of version 7 (RFC 9562), so that ids sort by the time of submission and a listing needs no
    /// other order.
    JobId
);

impl JobId {
    /// The id of this number.
    pub fn from_u128(number: u128) -> Self {
        Self(Uuid::from_u128(number))
    }
}

id!(
    /// The id of a batch of jobs, a UUID of version 7 too.
    BatchId
);
