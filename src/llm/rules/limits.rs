//! The limits of the rules that also trade by themselves as the baselines of a backtest, so that both mean the same.
//!
//! The paper of the TradingAgents framework (arXiv 2412.20138) names its baselines without parameters; these are the
//! usual ones.

/// J of KDJ below which, with [`RSI_WEAK`], a price has fallen too far.
pub const J_LOW: f64 = 20.0;

/// J of KDJ above which, with [`RSI_STRONG`], a price has risen too far.
pub const J_HIGH: f64 = 80.0;

/// RSI that confirms a low J.
pub const RSI_WEAK: f64 = 40.0;

/// RSI that confirms a high J.
pub const RSI_STRONG: f64 = 60.0;

/// Standard deviations from the mean from which a price is expected to come back.
pub const Z_FAR: f64 = 1.0;

/// Standard deviations from the mean within which it has come back.
pub const Z_BACK: f64 = 0.1;
