//! Texts as values of a JSON type.

use serde_json::Value;

use super::ValueType;

/// The text as a value of this type; `None` when it is none.
pub(super) fn convert(text: &str, value_type: ValueType) -> Option<Value> {
    match value_type {
        ValueType::String => Some(Value::from(text)),
        ValueType::Integer => text.trim().parse::<i64>().ok().map(Value::from),
        // As `Boolean.valueOf`: everything but `true` is false.
        ValueType::Boolean => Some(Value::from(text.eq_ignore_ascii_case("true"))),
        ValueType::Json => serde_json::from_str(text).ok(),
    }
}

/// Several texts: an array where the mapper is for many values, otherwise the first.
pub(super) fn convert_all(texts: &[String], value_type: ValueType, multivalued: bool) -> Option<Value> {
    if !multivalued {
        return convert(texts.first()?, value_type);
    }
    let values: Vec<_> = texts.iter().filter_map(|text| convert(text, value_type)).collect();
    (!values.is_empty()).then_some(Value::Array(values))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_get_the_type_of_the_mapper() {
        for (text, value_type, value) in [
            ("7", ValueType::String, Some(json!("7"))),
            ("7", ValueType::Integer, Some(json!(7))),
            ("seven", ValueType::Integer, None),
            ("TRUE", ValueType::Boolean, Some(json!(true))),
            ("yes", ValueType::Boolean, Some(json!(false))),
            (r#"{"a": [1]}"#, ValueType::Json, Some(json!({ "a": [1] }))),
            ("{", ValueType::Json, None),
        ] {
            assert_eq!(convert(text, value_type), value, "{text} as {value_type:?}");
        }
    }

    #[test]
    fn one_value_of_several_is_the_first() {
        let texts = ["b".to_owned(), "a".to_owned()];
        assert_eq!(convert_all(&texts, ValueType::String, false), Some(json!("b")));
        assert_eq!(convert_all(&texts, ValueType::String, true), Some(json!(["b", "a"])));
        assert_eq!(convert_all(&[], ValueType::String, true), None);
    }
}
