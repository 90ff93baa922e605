//! Shares of texts that are found or flagged wrongly, as text and as JSON.

use serde_json::{Value, json};
use sluice_review::{Rates, Share};

/// `12.3 %`
pub(super) fn share(share: Share) -> String {
    format!("{:.1} %", share.value() * 100.0)
}

/// `10.1 to 15.0 %`: between which values the share of all such texts lies, with 95 % certainty.
pub(super) fn interval(share: Share) -> String {
    let [from, to] = share.interval().map(|bound| bound * 100.0);
    format!("{from:.1} to {to:.1} %")
}

/// `{found, false_alarms}`, each `{hits, of, share, interval}`.
pub(super) fn object(rates: Rates) -> Value {
    let share = |share: Share| json!({"hits": share.hits, "of": share.of, "share": share.value(), "interval": share.interval()});
    json!({"found": share(rates.found), "false_alarms": share(rates.false_alarms)})
}
