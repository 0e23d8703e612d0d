//! `*` and `?` in policies (IAM JSON policy elements, "Resource").

/// Whether a text matches a pattern in which `*` stands for any characters and `?` for one.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || Some(wanted) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // Let the latest star take one more character.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|rest| *rest == '*')
}

/// Whether an ARN matches a pattern by the operators for ARNs, which look at each of the six parts
/// between colons by itself (IAM JSON policy elements, "Amazon Resource Name (ARN) condition
/// operators"). What they make of a pattern with fewer parts is not documented.
pub(super) fn arn_matches(pattern: &str, arn: &str) -> Option<bool> {
    let patterns: Vec<&str> = pattern.splitn(6, ':').collect();
    if patterns.len() < 6 {
        return if matches(pattern, arn) {
            None
        } else {
            Some(false)
        };
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let same = |(pattern, part): (&&str, &&str)| matches(pattern, part);
    Some(parts.len() == 6 && patterns.iter().zip(&parts).all(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_match_part_by_part() {
        let alarm = "arn:aws:cloudwatch:us-east-1:111111111111:alarm:team:signins";
        for (pattern, expected) in [
            (alarm, Some(true)),
            ("arn:aws:cloudwatch:*:111111111111:alarm:*", Some(true)),
            ("arn:*:*:*:*:*", Some(true)),
            ("arn:aws:cloudwatch:us-east-1:*:alarm:team:*", Some(true)),
            // The account is left out, and `alarm` stands in its place.
            ("arn:aws:cloudwatch:*:alarm:team:signins", Some(false)),
            ("arn:aws:cloudwatch:*:alarm:*", Some(false)),
            ("arn:aws:sns:*:*:*", Some(false)),
            ("arn:aws:cloudwatch:*", None),
            ("*", None),
            ("arn:aws:sns:*", Some(false)),
        ] {
            assert_eq!(arn_matches(pattern, alarm), expected, "{pattern}");
        }
    }

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abab", true),
            ("sns:*", "sns:publish", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
