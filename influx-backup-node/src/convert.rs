//! Values of the core as values of JavaScript.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use influx_backup_core::{ByteSize, Key, error::Category, finding::FindingCode};
use napi::{
    Env, Error, JsValue, Result, Status,
    bindgen_prelude::{Array, Null, Object, ToNapiValue, Unknown},
};
use serde_json::Value;

/// The largest whole number up to which JavaScript has every one (`Number.MAX_SAFE_INTEGER`).
const MAX_SAFE_INTEGER: u128 = (1 << 53) - 1;

/// A value of the core for JavaScript.
pub(crate) trait ToNode {
    /// Texts stay texts, sizes and counts become numbers, times `Date`, durations milliseconds, lists arrays, maps objects,
    /// names of enums texts, data a `Document`. What is absent is `null`.
    ///
    /// # Errors
    /// For a whole number that JavaScript cannot tell from the next one.
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>>;

    /// The same of a value that is not needed any more.
    ///
    /// # Errors
    /// As [`to_node`](Self::to_node).
    fn into_node<'env>(self: Box<Self>, env: &'env Env) -> Result<Unknown<'env>> {
        self.as_ref().to_node(env)
    }
}

/// Gives types the values that napi has for them.
macro_rules! as_it_is {
    ($($type:ty),+ $(,)?) => {
        $(impl ToNode for $type {
            fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
                ToNapiValue::into_unknown(self.clone(), env)
            }
        })+
    };
}
as_it_is!(bool, f64, String, DateTime<Utc>);

/// Gives whole numbers theirs.
macro_rules! safe_integers {
    ($($type:ty),+ $(,)?) => {
        $(impl ToNode for $type {
            fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
                safe_integer(u128::from(*self))?.to_node(env)
            }
        })+
    };
}
safe_integers!(u8, u32, u64);

/// Gives enums of the core their names as texts.
macro_rules! by_name {
    ($($type:ty),+ $(,)?) => {
        $(impl $crate::convert::ToNode for $type {
            fn to_node<'env>(&self, env: &'env napi::Env) -> napi::Result<napi::Unknown<'env>> {
                $crate::convert::ToNode::to_node(&self.to_string(), env)
            }
        })+
    };
}
pub(crate) use by_name;
by_name!(Category, FindingCode, Key, str);

fn safe_integer(number: u128) -> Result<f64> {
    if number > MAX_SAFE_INTEGER {
        let message = format!("{number} is larger than Number.MAX_SAFE_INTEGER ({MAX_SAFE_INTEGER})");
        // The JavaScript side makes a `RangeError` of it.
        return Err(Error::new(Status::BigintExpected, message));
    }
    Ok(number as f64)
}

impl ToNode for u128 {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.to_string().to_node(env)
    }
}

impl ToNode for usize {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        (*self as u64).to_node(env)
    }
}

impl ToNode for ByteSize {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.0.to_node(env)
    }
}

impl ToNode for Duration {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        safe_integer(self.as_millis())?.to_node(env)
    }
}

impl ToNode for TimeDelta {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        (self.num_milliseconds() as f64).to_node(env)
    }
}

impl ToNode for () {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        Null.into_unknown(env)
    }
}

impl<T: ToNode> ToNode for Option<T> {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.as_ref().map_or_else(|| ().to_node(env), |value| value.to_node(env))
    }
}

impl<T: ToNode + ?Sized> ToNode for &T {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        T::to_node(self, env)
    }
}

impl<T: ToNode + ?Sized> ToNode for Box<T> {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        T::to_node(self, env)
    }
}

impl<T: ToNode, U: ToNode> ToNode for (T, U) {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        array(env, [self.0.to_node(env), self.1.to_node(env)])
    }
}

impl<T: ToNode> ToNode for [T] {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        array(env, self.iter().map(|item| item.to_node(env)))
    }
}

impl<T: ToNode> ToNode for Vec<T> {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        self.as_slice().to_node(env)
    }
}

impl<T: ToNode> ToNode for BTreeSet<T> {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        array(env, self.iter().map(|item| item.to_node(env)))
    }
}

impl<K: ToString, V: ToNode> ToNode for BTreeMap<K, V> {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        let mut object = Object::new(env)?;
        for (key, value) in self {
            object.set(key.to_string(), value.to_node(env)?)?;
        }
        Ok(object.to_unknown())
    }
}

impl ToNode for Value {
    fn to_node<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        match self {
            Self::Null => ().to_node(env),
            Self::Bool(flag) => flag.to_node(env),
            Self::String(text) => text.to_node(env),
            Self::Array(items) => items.to_node(env),
            Self::Number(number) => match number.as_u64() {
                Some(whole) => whole.to_node(env),
                None => number.as_f64().unwrap_or(f64::NAN).to_node(env),
            },
            Self::Object(fields) => {
                let mut object = Object::new(env)?;
                for (key, value) in fields {
                    object.set(key, value.to_node(env)?)?;
                }
                Ok(object.to_unknown())
            }
        }
    }
}

fn array<'env>(env: &'env Env, items: impl IntoIterator<Item = Result<Unknown<'env>>>) -> Result<Unknown<'env>> {
    let mut array = Array::from_vec(env, Vec::<()>::new())?;
    for item in items {
        array.insert(item?)?;
    }
    Ok(array.to_unknown())
}
