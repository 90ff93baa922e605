//! The settings, by the standard variables of OpenTelemetry.
//!
//! They are the ones of every other program of a site, so what they ask for and Sluice does not have is a warning, and
//! not a reason not to start.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use sluice_core::config::ConfigError;
use url::Url;

use crate::sampler::Sampler;

/// Where the collector is; nothing is exported without one of these.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
/// The form of the requests, whatever is asked for.
const PROTOCOL: &str = "http/json";

/// How spans are exported.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where to.
    pub(crate) endpoint: Url,
    /// The headers of each request; they may hold a secret.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The longest wait for an answer.
    pub(crate) timeout: Duration,
    pub(crate) sampler: Sampler,
    /// What the program says of itself.
    pub(crate) resource: Vec<(String, String)>,
    /// The most spans that wait.
    pub(crate) queue: usize,
    /// The most spans of one request.
    pub(crate) batch: usize,
    /// The longest that a span waits for others.
    pub(crate) delay: Duration,
}

impl Settings {
    /// Those of a program; `variable` reads one. None: nothing is exported.
    ///
    /// # Errors
    /// When the collector's address or the headers cannot be read.
    pub(crate) fn read(program: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let set = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let is = |name: &str, value: &str| set(name).is_some_and(|set| set.eq_ignore_ascii_case(value));
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        let endpoint = match (set(TRACES_ENDPOINT), set(ENDPOINT)) {
            (Some(own), _) => address(TRACES_ENDPOINT, &own)?,
            (None, Some(base)) => {
                let base = address(ENDPOINT, &base)?;
                address(ENDPOINT, &format!("{}/v1/traces", base.as_str().trim_end_matches('/')))?
            }
            (None, None) => return Ok(None),
        };
        let either = |traces: &str, all: &str| set(traces).or_else(|| set(all));
        let protocol = either("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
        if let Some(asked) = protocol.filter(|asked| asked != PROTOCOL) {
            tracing::warn!(
                asked,
                "spans are sent as {PROTOCOL} all the same; collectors take it on the port of HTTP, 4318"
            );
        }
        let headers = either("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
        let timeout = either("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT");
        let number = |name: &str, default: usize| {
            let number = set(name).and_then(|text| text.parse::<usize>().ok());
            number.filter(|number| (1..=MOST).contains(number)).unwrap_or(default)
        };
        let timeout = timeout.and_then(|text| text.parse().ok()).unwrap_or(10_000);
        let delay = number("OTEL_BSP_SCHEDULE_DELAY", 5_000);
        let queue = number("OTEL_BSP_MAX_QUEUE_SIZE", 2_048);
        let mut resource = pairs(&set("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
        resource.retain(|(key, _)| key != "service.version");
        resource.push(("service.version".to_owned(), sluice_core::VERSION.to_owned()));
        if let Some(name) = set("OTEL_SERVICE_NAME") {
            resource.retain(|(key, _)| key != "service.name");
            resource.push(("service.name".to_owned(), name));
        } else if !resource.iter().any(|(key, _)| key == "service.name") {
            resource.push(("service.name".to_owned(), program.to_owned()));
        }
        Ok(Some(Self {
            endpoint,
            headers: pairs(&headers).into_iter().map(header).collect::<Result<_, _>>()?,
            timeout: Duration::from_millis(timeout),
            sampler: sampler(set(SAMPLER), set("OTEL_TRACES_SAMPLER_ARG")),
            resource,
            queue,
            batch: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512).min(queue),
            delay: Duration::from_millis(delay as u64),
        }))
    }
}

/// The largest number of spans, and of milliseconds, that is taken: memory is bounded whatever is asked for.
const MOST: usize = 100_000;

fn address(setting: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| ConfigError::new(setting, "it must be an address like http://collector:4318".to_owned()))
}

/// `key=value,key=value`, percent-encoded; what is no pair is skipped.
fn pairs(text: &str) -> Vec<(String, String)> {
    let plain = |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
    text.split(',').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (plain(key), plain(value))).collect()
}

fn header((name, value): (String, String)) -> Result<(HeaderName, HeaderValue), ConfigError> {
    // Neither is repeated: the value is a secret, and so is the name if the two were mixed up.
    let wrong = || ConfigError::new("OTEL_EXPORTER_OTLP_HEADERS", "it must be like name=value,name=value".to_owned());
    Ok((name.parse().map_err(|_| wrong())?, value.parse().map_err(|_| wrong())?))
}

fn sampler(name: Option<String>, argument: Option<String>) -> Sampler {
    let share = argument.and_then(|text| text.parse::<f64>().ok()).filter(|share| (0.0..=1.0).contains(share));
    let share = share.unwrap_or(1.0);
    // With the argument alone, a share is meant.
    let name = name.unwrap_or_else(|| "parentbased_traceidratio".to_owned());
    Sampler::named(&name, share).unwrap_or_else(|| {
        tracing::warn!(name, "{SAMPLER} is unknown; every trace is recorded whose beginning does not say otherwise");
        Sampler::ALL
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Option<Settings>, ConfigError> {
        Settings::read("sluice-worker", |name| {
            set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn good(set: &[(&str, &str)]) -> Settings {
        read(&[&[(ENDPOINT, "http://collector:4318/")], set].concat()).expect("good settings").expect("they are on")
    }

    #[test]
    fn nothing_is_exported_without_an_address_or_if_that_is_said() {
        for off in [
            &[][..],
            &[(ENDPOINT, " ")],
            &[(ENDPOINT, "http://c:4318"), ("OTEL_SDK_DISABLED", "True")],
            &[(ENDPOINT, "http://c:4318"), ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert!(read(off).expect("nothing is wrong").is_none(), "{off:?}");
        }
        for wrong in ["collector:4318", "grpc://collector", "http://"] {
            let error = read(&[(ENDPOINT, wrong)]).expect_err(wrong);
            assert_eq!(error.setting, ENDPOINT);
        }
    }

    #[test]
    fn the_standard_variables_are_read_and_the_rest_are_the_standards_defaults() {
        let settings = good(&[]);
        assert_eq!(settings.endpoint.as_str(), "http://collector:4318/v1/traces");
        assert_eq!(
            (settings.queue, settings.batch, settings.delay.as_secs(), settings.timeout.as_secs()),
            (2048, 512, 5, 10)
        );
        assert!(settings.resource.contains(&("service.name".to_owned(), "sluice-worker".to_owned())));
        let own =
            good(&[(TRACES_ENDPOINT, "https://c/x"), ("OTEL_SERVICE_NAME", "forum"), ("OTEL_BSP_MAX_QUEUE_SIZE", "0")]);
        assert_eq!((own.endpoint.as_str(), own.queue), ("https://c/x", 2048));
        assert!(own.resource.contains(&("service.name".to_owned(), "forum".to_owned())));
        let attributes = good(&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=a%20b,deployment.environment=test,x")]);
        assert!(attributes.resource.contains(&("service.name".to_owned(), "a b".to_owned())));
        assert_eq!(attributes.resource.len(), 3);
    }

    #[test]
    fn headers_are_read_and_no_error_repeats_them() {
        let settings = good(&[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2,x-tenant=7")]);
        assert_eq!(settings.headers[0].1, "Bearer hunter2");
        let error = read(&[(ENDPOINT, "http://c"), ("OTEL_EXPORTER_OTLP_HEADERS", "hunter 2=x")]).expect_err("a space");
        assert!(!error.to_string().contains("hunter"), "{error}");
    }

    #[test]
    fn a_share_alone_is_a_share_and_an_unknown_sampler_records_all() {
        let high = [0xff; 16];
        assert!(!good(&[("OTEL_TRACES_SAMPLER_ARG", "0.1")]).sampler.records(high, None));
        assert!(good(&[("OTEL_TRACES_SAMPLER_ARG", "2")]).sampler.records(high, None));
        assert!(good(&[(SAMPLER, "xray"), ("OTEL_TRACES_SAMPLER_ARG", "0.1")]).sampler.records(high, None));
    }
}
