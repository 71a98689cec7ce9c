//! Computing on shares beside the same computation on plain integers.

use smpc_shares::field::{
    Field128, Goldilocks, Mersenne61, Mersenne127, Prime64, PrimeField, Ring, Z64,
};
use smpc_shares::net::{Config, simulate};
use smpc_shares::{Party, Replicated, Scheme, Shamir};

fn products<R: Ring + From<u64>, S: Scheme<R>>(config: Config) {
    let results = simulate(config, async |party: &mut Party<R, S>| {
        let mine: Vec<R> = (0..50u64).map(|i| R::from(i * 1_000_003 + party.id() as u64)).collect();
        let shared = party.input_from_all(&mine).await?;
        let product = party.multiply(&shared[0], &shared[1]).await?;
        let cube = party.multiply(&product, &shared[2]).await?;
        let dot = party.dot(&shared[0], &shared[2]).await?;
        party.open(&cube.chain(&dot)).await
    })
    .unwrap();
    let plain = |id: u64| (0..50u64).map(move |i| R::from(i * 1_000_003 + id));
    let mut expected: Vec<R> =
        plain(1).zip(plain(2)).zip(plain(3)).map(|((a, b), c)| a * b * c).collect();
    expected.push(plain(1).zip(plain(3)).map(|(a, c)| a * c).sum());
    assert!(results.iter().all(|result| *result == expected));
}

#[test]
fn products_for_all_parties_and_thresholds() {
    for n in 3..=9usize {
        for t in 1..n.div_ceil(2) {
            products::<Mersenne61, Shamir>(Config::shamir(n, t));
        }
    }
    products::<Prime64<257>, Shamir>(Config::shamir(5, 2));
    products::<Goldilocks, Shamir>(Config::shamir(3, 1));
    products::<Field128, Shamir>(Config::shamir(4, 1));
    products::<Mersenne127, Replicated>(Config::replicated());
    products::<Z64, Replicated>(Config::replicated());
}

/// Random shares are shares of one value, and not of the same one twice.
#[test]
fn random_shares_agree_and_differ() {
    fn check<F: PrimeField, S: Scheme<F>>(config: Config) {
        let results = simulate(config, async |party: &mut Party<F, S>| {
            let (a, b) = (party.random(3).await?, party.random(3).await?);
            Ok([party.open(&a).await?, party.open(&b).await?].concat())
        })
        .unwrap();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
        assert!((0..6).all(|i| (0..i).all(|j| results[0][i] != results[0][j])));
    }
    for (n, t) in [(3, 1), (4, 1), (5, 2), (9, 4)] {
        check::<Mersenne61, Shamir>(Config::shamir(n, t));
    }
    check::<Mersenne61, Replicated>(Config::replicated());
}

/// Integers and edge cases of 32 bits.
fn integers() -> Vec<i64> {
    let mut all = vec![0, 1, -1, 2, -2, 5, 7, 7, (1 << 31) - 1, -(1 << 31), 1 << 20, -(1 << 20)];
    let mut state = 1u64;
    for _ in 0..120 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        all.push(i64::from((state >> 32) as u32 as i32));
    }
    all
}

fn order<R: smpc_shares::protocol::Ordered + From<i64>, S: Scheme<R>>(config: Config) {
    let (a, mut b) = (integers(), integers());
    b.rotate_left(5);
    b[0] = a[0];
    b[7] = a[7];
    let elements = |values: &[i64]| -> Vec<R> { values.iter().map(|x| R::from(*x)).collect() };
    let results = simulate(config, async |party: &mut Party<R, S>| {
        // Public constants made secret: one more random share each, and taken away again.
        let mask = party.random(a.len()).await?;
        let opened = party.open(&mask).await?;
        let mask = party.renewed(&mask).await?;
        let (x, y) = (party.public(&elements(&a)), party.public(&elements(&b)));
        let hidden = (&x + &mask) - party.public(&opened);
        let less = party.less_than(&hidden, &y).await?;
        let same = party.equal(&hidden, &y).await?;
        let size = party.absolute(&hidden.slice(10..20)).await?;
        let bits = party.to_bits(&hidden).await?;
        let mut together = bits[0].clone();
        for bit in &bits[1..] {
            together = together.chain(bit);
        }
        let mut results = vec![less, same, size, together];
        for by in [1, 7, 31] {
            results.push(party.shift_right(&hidden, by).await?);
        }
        let mut out = Vec::new();
        for shares in results {
            out.push(party.open(&shares).await?);
        }
        Ok(out)
    })
    .unwrap();
    for result in results {
        let plain: Vec<Vec<i128>> =
            result.iter().map(|values| values.iter().map(|v| v.to_i128()).collect()).collect();
        for i in 0..a.len() {
            assert_eq!(plain[0][i], i128::from(a[i] < b[i]), "{} < {}", a[i], b[i]);
            assert_eq!(plain[1][i], i128::from(a[i] == b[i]), "{} = {}", a[i], b[i]);
            for bit in 0..32 {
                let expected = i128::from(a[i] >> bit & 1);
                assert_eq!(plain[3][bit * a.len() + i], expected, "bit {bit} of {}", a[i]);
            }
            for (j, by) in [1, 7, 31].iter().enumerate() {
                assert_eq!(plain[4 + j][i], i128::from(a[i] >> by), "{} >> {by}", a[i]);
            }
        }
        for i in 0..10 {
            assert_eq!(plain[2][i], i128::from(a[10 + i]).abs());
        }
    }
}

#[test]
fn order_equality_and_bits() {
    order::<Z64, Replicated>(Config::replicated());
    order::<Mersenne127, Replicated>(Config::replicated());
    order::<Mersenne127, Shamir>(Config::shamir(3, 1));
    order::<Field128, Shamir>(Config::shamir(5, 2));
    order::<Mersenne127, Shamir>(Config::shamir(4, 1));
}

#[test]
fn order_in_active_security() {
    order::<Mersenne127, smpc_shares::Active<Shamir>>(Config::shamir(3, 1));
    order::<Field128, smpc_shares::Active<Replicated>>(Config::replicated());
}

#[test]
fn fields_without_room_are_refused() {
    let result = simulate(Config::shamir(3, 1), async |party: &mut Party<Mersenne61>| {
        let x = party.public(&[Mersenne61::from(1)]);
        party.less_than(&x, &x).await.map(|_| ())
    });
    assert!(matches!(result, Err(smpc_shares::Error::FieldTooSmall { have_bits: 61, .. })));
    type G = Prime64<257>;
    let tiny = simulate(Config::shamir(3, 1), async |party: &mut Party<G>| {
        let x = party.public(&[G::from(0), G::from(5), G::from(256)]);
        let zero = party.public(&[G::from(0); 3]);
        assert!(party.less_than(&x, &zero).await.is_err());
        let same = party.equal(&x, &zero).await?;
        party.open(&same).await
    });
    assert_eq!(tiny.unwrap()[0], [G::from(1), G::from(0), G::from(0)]);
}

type M = Mersenne127;

fn opened<T>(
    program: impl AsyncFn(&mut Party<M>, smpc_shares::ShareVec<M>) -> smpc_shares::Result<T>,
    data: &[i64],
) -> T {
    let data: Vec<M> = data.iter().map(|x| M::from(*x)).collect();
    let config = Config::shamir(3, 1).with_integer_bits(16);
    let mut results = simulate(config, async |party: &mut Party<M>| {
        let mine = if party.id() == 1 { &data[..] } else { &[] };
        let shared = party.input(&[(1, data.len())], mine).await?.remove(0);
        program(party, shared).await
    })
    .unwrap();
    results.remove(0)
}

fn integer(values: &[M]) -> Vec<i64> {
    values.iter().map(|value| value.to_i128() as i64).collect()
}

#[test]
fn selection_and_sorting() {
    let data = [5, -3, 9, 9, 0, -3, 2];
    let got = opened(
        async |party, x| {
            let mut out = Vec::new();
            for shares in [
                party.max(&x).await?,
                party.min(&x).await?,
                party.argmax(&x).await?.0,
                party.argmin(&x).await?.0,
                party.sorted(&x).await?,
                party.histogram(&x, &[-5, 0, 5, 10]).await?,
                party.group_sums(&x, &x, &[9, -3, 4]).await?,
            ] {
                out.push(integer(&party.open(&shares).await?));
            }
            let place = party.public(&[M::from(2)]);
            let found = party.lookup(&x, &place).await?;
            let wanted = party.public(&[M::from(9)]);
            let first = party.find(&x, &wanted).await?;
            let both = party.open(&found.chain(&first)).await?;
            out.push(integer(&both));
            Ok(out)
        },
        &data,
    );
    let expected: [&[i64]; 8] =
        [&[9], &[-3], &[2], &[1], &[-3, -3, 0, 2, 5, 9, 9], &[2, 2, 3], &[18, -6, 0], &[9, 2]];
    assert_eq!(got, expected.map(<[i64]>::to_vec));
}

/// Beside sorting in the plain, for every count.
#[test]
fn the_largest_and_smallest_with_what_stands_beside_them() {
    let data = [5, -3, 9, 8, 0, -7, 2, 11];
    let mut sorted = data.to_vec();
    sorted.sort_unstable();
    for count in 0..=data.len() {
        let got = opened(
            async |party, x| {
                let beside = [&x * 10];
                let (top, ten) = party.largest(&x, &beside, count).await?;
                let (low, _) = party.smallest(&x, &[], count).await?;
                party.open(&top.chain(&ten[0]).chain(&low)).await
            },
            &data,
        );
        let top: Vec<i64> = sorted.iter().rev().take(count).copied().collect();
        let ten: Vec<i64> = top.iter().map(|x| 10 * x).collect();
        let expected = [&top[..], &ten, &sorted[..count]].concat();
        assert_eq!(integer(&got), expected, "{count}");
    }
}

/// Beside a map of sums in the plain.
#[test]
fn groups_of_secret_keys() {
    fn check<R: smpc_shares::protocol::Ordered + From<i64>, S: Scheme<R>>(config: Config) {
        let keys = [7, -2, 7, 7, 0, -2, 3, 0, 7, 7, 1];
        for length in [0, 1, 2, 5, keys.len()] {
            let keys = &keys[..length];
            let values: Vec<i64> = (0..length as i64).map(|i| i * i - 5).collect();
            let elements = |x: &[i64]| -> Vec<R> { x.iter().map(|x| R::from(*x)).collect() };
            let results = simulate(config.clone(), async |party: &mut Party<R, S>| {
                let (k, v) = (party.public(&elements(keys)), party.public(&elements(&values)));
                let groups = party.group_by(&k, &v).await?;
                let columns = [groups.keys, groups.sums, groups.counts, groups.present];
                let [k, s, c, p] = &columns;
                party.open(&k.chain(s).chain(c).chain(p)).await
            })
            .unwrap();
            let plain: Vec<i128> = results[0].iter().map(|x| x.to_i128()).collect();
            let column = |i: usize| &plain[i * length..(i + 1) * length];
            let mut expected = std::collections::BTreeMap::new();
            for (key, value) in keys.iter().zip(&values) {
                let group = expected.entry(i128::from(*key)).or_insert((0, 0));
                *group = (group.0 + i128::from(*value), group.1 + 1);
            }
            let rows: Vec<usize> = (0..length).filter(|row| column(3)[*row] == 1).collect();
            let found =
                rows.iter().map(|row| (column(0)[*row], (column(1)[*row], column(2)[*row])));
            assert!(found.eq(expected), "{length}");
            let others = (0..length).filter(|row| !rows.contains(row));
            others.for_each(|row| assert!((0..4).all(|i| column(i)[row] == 0)));
        }
    }
    check::<Z64, Replicated>(Config::replicated());
    check::<Mersenne127, Shamir>(Config::shamir(3, 1).with_integer_bits(16));
    check::<Mersenne127, smpc_shares::Active<Shamir>>(Config::shamir(3, 1).with_integer_bits(16));
}

#[test]
fn shuffles_are_permutations_that_differ() {
    fn check<R: Ring + From<u64>, S: Scheme<R>>(config: Config) {
        let results = simulate(config, async |party: &mut Party<R, S>| {
            let values: Vec<R> = (0..50u64).map(R::from).collect();
            let x = party.public(&values);
            let shuffled = party.shuffle(&[x.clone(), x + 1]).await?;
            Ok((party.open(&shuffled[0]).await?, party.open(&shuffled[1]).await?))
        })
        .unwrap();
        let order: Vec<u128> = results[0].0.iter().map(|x| x.to_u128()).collect();
        let beside: Vec<u128> = results[0].1.iter().map(|x| x.to_u128() - 1).collect();
        assert_eq!(order, beside);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..50));
        assert_ne!(order, sorted, "probability 1/50!");
    }
    check::<Z64, Replicated>(Config::replicated());
    check::<Mersenne61, Shamir>(Config::shamir(3, 1));
    check::<Mersenne61, Shamir>(Config::shamir(6, 2));
}

#[test]
fn division_is_exact() {
    let data: Vec<i64> = (-20..20).map(|x| x * 37 + 5).chain([32767, -32768]).collect();
    for divisor in [1u64, 2, 3, 7, 10, 1000] {
        let got = opened(
            async |party, x| {
                let quotient = party.divide_public(&x, divisor, 16).await?;
                party.open(&quotient).await
            },
            &data,
        );
        let expected: Vec<i64> = data.iter().map(|x| x.div_euclid(divisor as i64)).collect();
        assert_eq!(integer(&got), expected, "/ {divisor}");
    }
    let numbers = [0, 1, 5, 99, 100, 1023, 32767];
    let got = opened(
        async |party, x| {
            let by = party.public(&[1, 1, 2, 100, 7, 32, 32767].map(M::from));
            let quotient = party.divide(&x, &by, 16).await?;
            let root = party.square_root(&x, 16).await?;
            party.open(&quotient.chain(&root)).await
        },
        &numbers,
    );
    assert_eq!(integer(&got), [0, 1, 2, 0, 14, 31, 1, 0, 1, 2, 9, 10, 31, 181]);
}

#[test]
fn fixed_point_products_are_within_half_a_unit() {
    use smpc_shares::protocol::FixedPoint;
    let point = FixedPoint::new(10).unwrap();
    let numbers = [1.5, -2.25, 0.001, 3.21, -7.77, 0.0];
    let units: Vec<i64> =
        numbers.iter().map(|x| point.encode::<M>(*x).unwrap().to_i128() as i64).collect();
    let got = opened(
        async |party, x| {
            let reversed = x.gather(&[5, 4, 3, 2, 1, 0]);
            let product = party.multiply_fixed(&x, &reversed, point).await?;
            let dot = party.dot_fixed(&x, &reversed, point).await?;
            party.open(&product.chain(&dot)).await
        },
        &units,
    );
    let exact = |i: usize| (units[i] * units[5 - i]) as f64 / 1024.0;
    for (i, got) in got[..6].iter().enumerate() {
        assert!((got.to_i128() as f64 - exact(i)).abs() <= 0.5);
    }
    assert!((got[6].to_i128() as f64 - (0..6).map(exact).sum::<f64>()).abs() <= 0.5);
    assert!(point.encode::<M>(f64::NAN).is_err());
}

/// Python 3: statistics.mean, variance, … of the same data, rounded as documented.
#[test]
fn statistics_of_plain_data() {
    let data = [2, 7, 1, 8, 2, 8, 1, 8, 2, 8];
    let got = opened(
        async |party, x| {
            let y = &x * 3 + 4;
            let mut out = Vec::new();
            let (slope, intercept) = party.linear_regression(&x, &y, 8).await?;
            for shares in [
                party.mean(&x).await?,
                party.variance(&x).await?,
                party.pvariance(&x).await?,
                party.stdev(&x).await?,
                party.covariance(&x, &y).await?,
                party.median(&x).await?,
                party.median_low(&x).await?,
                party.median_high(&x).await?,
                party.mode(&x).await?,
                party.quantiles(&x, 4).await?,
                slope,
                intercept,
            ] {
                out.push(integer(&party.open(&shares).await?));
            }
            let correlation = party.correlation(&x, &-&y, 8).await?;
            out.push(integer(&party.open(&correlation).await?));
            Ok(out)
        },
        &data,
    );
    // mean 4.7, variance 10.9, pvariance 9.81, covariance 32.7, median 4.5, quartiles 1.75, 4.5, 8.
    let expected: [&[i64]; 12] = [
        &[5],
        &[11],
        &[10],
        &[3],
        &[33],
        &[4],
        &[2],
        &[7],
        &[8],
        &[2, 5, 8],
        &[3 * 256],
        &[4 * 256],
    ];
    assert_eq!(got[..12], expected.map(<[i64]>::to_vec));
    assert!((-262..=-256).contains(&got[12][0]), "-1 up to the rounding of roots: {:?}", got[12]);
}

/// The law of the noise: mean 0, and masses near the discrete Laplace ones. 4000 draws; false alarm
/// below 1e-8 (six sigmas each).
#[test]
fn noise_drawn_inside_follows_its_law() {
    let scale = 3.0f64;
    let results = simulate(Config::replicated(), async |party: &mut Party<Z64, Replicated>| {
        let drawn = party.discrete_laplace(4000, scale).await?;
        assert!(drawn.distance < 1e-12);
        party.open(&drawn.noise).await
    })
    .unwrap();
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    let q = (-1.0 / scale).exp();
    for x in -4i128..=4 {
        let mass = (1.0 - q) / (1.0 + q) * q.powi(x.unsigned_abs() as i32);
        let seen = results[0].iter().filter(|value| value.to_i128() == x).count() as f64;
        let sigma = (4000.0 * mass * (1.0 - mass)).sqrt();
        assert!((seen - 4000.0 * mass).abs() < 6.0 * sigma, "{x}: {seen}");
    }
    let shamir = simulate(Config::shamir(5, 2), async |party: &mut Party<Mersenne61>| {
        let drawn = party.discrete_laplace(50, 2.0).await?;
        party.open(&drawn.noise).await
    })
    .unwrap();
    assert!(shamir[0].iter().all(|value| value.to_i128().abs() < 100));
}
