//! Generated organizations.

use std::collections::BTreeMap;

use super::*;

fn generator(accounts: usize, mix: Mix) -> Generator {
    Generator {
        accounts,
        regions: 17,
        seed: 7,
        mix,
        denied: None,
    }
}

#[test]
fn the_same_seed_makes_the_same_organization() {
    let make = |seed| {
        Generator {
            seed,
            ..generator(300, Mix::Realistic)
        }
        .organization()
        .unwrap()
    };
    assert_eq!(make(7), make(7));
    assert_ne!(make(7), make(8));
}

#[test]
fn every_link_breaks_somewhere() {
    let organization = generator(5000, Mix::Realistic).organization().unwrap();
    let mut links: BTreeMap<_, usize> = BTreeMap::new();
    for (_, expected) in organization.expected() {
        *links
            .entry((expected.status, expected.broken_link))
            .or_default() += 1;
    }
    for link in LinkName::CHAIN {
        // Those before the log group hide behind the archive trail.
        let visible = link >= LinkName::LogGroup;
        assert_eq!(
            links.contains_key(&(Status::Fail, Some(link))),
            visible,
            "{link}"
        );
    }
    let passing = links[&(Status::Pass, None)];
    assert!((2900..3300).contains(&passing), "{passing}");
    assert_eq!(organization.accounts().len(), 5000);
}

#[test]
fn the_share_of_denied_accounts_is_kept() {
    let organization = Generator {
        denied: Some(0.1),
        ..generator(2000, Mix::Realistic)
    }
    .organization()
    .unwrap();
    let unknown = organization
        .expected()
        .iter()
        .filter(|(_, expected)| expected.broken_link == Some(LinkName::Account))
        .count();
    assert!((150..250).contains(&unknown), "{unknown}");
}

#[test]
fn limits_are_said() {
    assert_eq!(
        generator(0, Mix::Demo).organization(),
        Err(GeneratorError::Accounts(0))
    );
    let regions = Generator {
        regions: 35,
        ..generator(1, Mix::Demo)
    };
    assert_eq!(regions.organization(), Err(GeneratorError::Regions(35)));
    assert_eq!(id(MOST_ACCOUNTS - 1).to_string().len(), 12);
}
