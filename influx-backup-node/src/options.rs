//! [`Given`]: the options of a call, an object of JavaScript.

use influx_backup_core::{
    Error, StoreOptions,
    options::{GivenOptions, Naming},
};
use napi::{
    Env, JsValue, KeyCollectionMode, KeyConversion, KeyFilter, Result, Status, Unknown, ValueType,
    bindgen_prelude::{FromNapiValue, JsObjectValue, Object, Utf16String},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use crate::error::raise;

/// How deep options may be nested: more than any is, and no danger to the stack.
const DEEPEST: usize = 8;

/// The options of one call, by name.
pub(crate) struct Given<'env> {
    env: &'env Env,
    options: GivenOptions,
    /// Why a value cannot be used. That its option is not known tells more.
    refused: Option<napi::Error>,
}

impl<'env> Given<'env> {
    /// All of them. One that is `undefined` is absent. The JavaScript side has taken those that are `known` already.
    pub(crate) fn of(env: &'env Env, given: Object<'_>, known: &[&'static str]) -> Result<Self> {
        let others = known.iter().map(|name| Naming::CamelCase.write(name)).collect::<Vec<_>>();
        let mut refused = None;
        let mut values = Map::new();
        for (name, value) in named_values(env, &given)? {
            if others.contains(&name) {
                continue;
            }
            let value = value_of(env, value, &name, 0).unwrap_or_else(|error| {
                refused.get_or_insert(error);
                Value::Null
            });
            values.insert(name, value);
        }
        let options = GivenOptions::new(values);
        let options = options.with_naming(Naming::CamelCase).with_known(known);
        Ok(Self { env, options, refused })
    }

    /// Takes those that `T` knows.
    pub(crate) fn take<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.options.take().map_err(|error| refused_or(self.env, error, &mut self.refused))
    }

    /// Takes the rest, which `T` has to know.
    pub(crate) fn last<T: DeserializeOwned>(mut self) -> Result<T> {
        let options = self.take()?;
        self.finish()?;
        Ok(options)
    }

    /// Refuses the rest.
    pub(crate) fn finish(self) -> Result<()> {
        self.options.finish().map_err(raise(self.env))?;
        self.refused.map_or(Ok(()), Err)
    }
}

/// Why options are refused: an unknown name before a value that cannot be used, and that before what became of it.
fn refused_or(env: &Env, error: Error, refused: &mut Option<napi::Error>) -> napi::Error {
    let refused = if matches!(error, Error::UnknownOption { .. }) { None } else { refused.take() };
    refused.unwrap_or_else(|| raise(env)(error))
}

/// What every verb takes besides the options of the core.
pub(crate) const OF_ALL: &[&str] = &["signal"];

/// What a verb takes that may send events of single objects.
pub(crate) const WITH_OBJECT_EVENTS: &[&str] = &["signal", "object_events"];

/// Options of one kind.
pub(crate) fn options<T: DeserializeOwned>(env: &Env, given: Object<'_>) -> Result<T> {
    Given::of(env, given, OF_ALL)?.last()
}

/// Refuses all options, for a verb that has none.
pub(crate) fn no_options(env: &Env, given: Object<'_>) -> Result<()> {
    Given::of(env, given, OF_ALL)?.finish()
}

/// Options of a store.
pub(crate) fn store_options(env: &Env, given: &Object<'_>) -> Result<StoreOptions> {
    StoreOptions::read(&fields(env, given, None, 0)?, Naming::CamelCase).map_err(raise(env))
}

/// The own fields of an object, in the words of JSON. `option` is the name of the option whose value it is.
fn fields(env: &Env, object: &Object<'_>, option: Option<&str>, depth: usize) -> Result<Map<String, Value>> {
    let fields = named_values(env, object)?.into_iter().map(|(name, value)| {
        let path = option.map_or_else(|| name.clone(), |option| format!("{option}.{name}"));
        Ok((name, value_of(env, value, &path, depth)?))
    });
    fields.collect()
}

/// The own fields of an object that are not `undefined`.
fn named_values<'env>(env: &Env, object: &Object<'env>) -> Result<Vec<(String, Unknown<'env>)>> {
    if !is_plain(object)? {
        let reason = "options are a plain object, not one of a class";
        return Err(napi::Error::new(Status::ObjectExpected, reason));
    }
    let own = KeyCollectionMode::OwnOnly;
    let names = object.get_all_property_names(own, KeyFilter::Enumerable, KeyConversion::NumbersToStrings)?;
    let mut fields = Vec::new();
    for index in 0..names.get_array_length()? {
        let name: Unknown<'_> = names.get_element(index)?;
        if name.get_type()? == ValueType::Symbol {
            continue;
        }
        let name = String::from_unknown(name)?;
        let value: Unknown<'_> = object.get_property(env.create_string(&name)?)?;
        if value.get_type()? != ValueType::Undefined {
            fields.push((name, value));
        }
    }
    Ok(fields)
}

/// Whether an object is one of fields alone: not a map, a date, or an instance of another class.
fn is_plain(object: &Object<'_>) -> Result<bool> {
    let prototype = object.get_prototype()?;
    match prototype.get_type()? {
        ValueType::Object => Ok(Object::from_unknown(prototype)?.get_prototype()?.get_type()? == ValueType::Null),
        other => Ok(other == ValueType::Null),
    }
}

/// The value of the option with this name, in the words of JSON. What it means is the core's to say.
fn value_of(env: &Env, value: Unknown<'_>, option: &str, depth: usize) -> Result<Value> {
    let unusable = |kind: &str| raise(env)(Error::invalid_option(option, format!("{kind} is no value of an option")));
    match value.get_type()? {
        ValueType::Null => Ok(Value::Null),
        ValueType::Boolean => Ok(bool::from_unknown(value)?.into()),
        ValueType::String => {
            let text = String::from_utf16(&Utf16String::from_unknown(value)?);
            text.map(Value::from).map_err(|_| unusable("a text with half of a surrogate pair"))
        }
        ValueType::Number => {
            let number = f64::from_unknown(value)?;
            number_of(number).ok_or_else(|| unusable(&number.to_string()))
        }
        ValueType::Object if depth == DEEPEST => Err(unusable("an object that is nested this deep")),
        ValueType::Object => {
            let object = Object::from_unknown(value)?;
            if !object.is_array()? {
                if !is_plain(&object)? {
                    return Err(unusable("an object of a class"));
                }
                return Ok(Value::Object(fields(env, &object, Some(option), depth + 1)?));
            }
            let items = (0..object.get_array_length()?).map(|index| {
                let item: Unknown<'_> = object.get_element(index)?;
                value_of(env, item, option, depth + 1)
            });
            items.collect()
        }
        other => Err(unusable(&format!("a {}", other.to_string().to_lowercase()))),
    }
}

/// A number in the words of JSON: a whole one as such.
fn number_of(number: f64) -> Option<Value> {
    let whole = number as u64;
    if whole as f64 == number && whole < 1 << 53 {
        return Some(whole.into());
    }
    Number::from_f64(number).map(Value::Number)
}
