//! Answers of CloudWatch, which come as CBOR.

// The scanner's own reader: everything around it in that crate takes minutes to build.
#[path = "../../../crates/scanner/src/calls/cbor.rs"]
mod reader;

use serde_json::Value;

/// What is read can be recorded and read again.
pub(crate) fn cbor(data: &[u8]) {
    match reader::to_json(data) {
        Err(reason) => assert!(reason.starts_with("the response is not CBOR: "), "{reason}"),
        Ok(value) => {
            let record = serde_json::json!({ "response": value }).to_string();
            let read: Value = serde_json::from_str(&record).expect("a record can be read");
            // Numbers with a fraction may differ in their last digit.
            let read = read.get("response").is_some_and(Value::is_object);
            assert_eq!(read, value.is_object());
        }
    }
}
