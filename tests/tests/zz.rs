//! x
#[test]
fn provisions() {
    use trailproof_tests::provision::Emulator;
    for (e, names) in [(Emulator::Ministack, ["own-trails", "filters", "alarms", "notifications", "several-chains", "mix"]), (Emulator::Moto, ["own-trails", "filters", "alarms", "notifications", "several-chains", "mix"]), (Emulator::MinistackWithAuthorization, ["mix";6])] {
        for n in names {
            let t = std::time::Instant::now();
            let s = e.start();
            let a = t.elapsed();
            let p = e.provision(&s, &trailproof_tests::scenario::named(n));
            println!("{e:?} {n} start {a:?} all {:?} {} left out {:?}", t.elapsed(), p.accounts.len(), p.left_out);
        }
    }
}
