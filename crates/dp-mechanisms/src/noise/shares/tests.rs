//! Sums of shares, and their prices.

use privacy_core::random::InsecureTestRng;
use privacy_testing::statistics::check_chi_square;

use super::super::discrete_laplace::DiscreteLaplace;
use super::*;

fn ratio(a: u64, b: u64) -> Ratio<BigUint> {
    Ratio::new(a.into(), b.into())
}

fn sum(shares: &NoiseShares, parties: u32, rng: &mut InsecureTestRng) -> i128 {
    (0..parties).map(|_| shares.sample(rng).unwrap()).sum()
}

#[test]
fn laplace_shares_sum_to_the_laplace_law() {
    // False-alarm probability 1e-9, seed fixed; the shares themselves are tested exactly.
    let shares = NoiseShares::laplace(ratio(3, 1), 4).unwrap();
    let law = DiscreteLaplace::new(ratio(3, 1)).unwrap();
    let mut rng = InsecureTestRng::from_seed(21);
    let mut counts = vec![0u64; 42];
    for _ in 0..3_000 {
        counts[(sum(&shares, 4, &mut rng).clamp(-21, 20) + 21) as usize] += 1;
    }
    let expected: Vec<f64> = (-21..=20)
        .map(|x| match x {
            -21 => law.tail(20) / 2.0,
            20 => law.tail(19) / 2.0,
            x => law.pmf(x),
        })
        .collect();
    check_chi_square(&counts, &expected, 1e-9);
}

#[test]
fn sums_have_the_variance_that_was_asked_for() {
    // Six standard errors of the mean of squares, with a kurtosis of at most 6; seed fixed.
    let mut rng = InsecureTestRng::from_seed(22);
    let cases = [
        (NoiseShares::skellam(ratio(500, 1), 5).unwrap(), 5, 500.0),
        (NoiseShares::gaussian(ratio(500, 1), 5).unwrap(), 5, 500.0),
        (NoiseShares::skellam(ratio(1, 2), 3).unwrap(), 3, 0.5),
        (NoiseShares::laplace(ratio(1 << 20, 1), 2).unwrap(), 2, 2.0 * 2f64.powi(40)),
    ];
    for (shares, parties, variance) in cases {
        let draws = 3000;
        let squares: f64 =
            (0..draws).map(|_| (sum(&shares, parties, &mut rng) as f64).powi(2)).sum();
        let mean = squares / f64::from(draws);
        let error =
            variance * (5.0 / f64::from(draws)).sqrt() + (variance / f64::from(draws)).sqrt();
        assert!((mean - variance).abs() < 6.0 * error, "{shares:?}: {mean}");
    }
}

#[test]
fn laplace_prices_are_exact_with_all_parties_and_rise_as_they_drop_out() {
    let shares = NoiseShares::laplace(ratio(10, 1), 8).unwrap();
    let epsilon = |honest, distance| {
        shares.charge_with(honest, distance).unwrap().in_pure().unwrap().epsilon.to_f64_up()
    };
    assert_eq!(
        shares.charge_with(8, 3).unwrap().in_pure().unwrap().epsilon,
        Amount::from_fraction(3u8, 10u8).unwrap()
    );
    assert!((epsilon(4, 1) - (0.1 + 2f64.ln())).abs() < 1e-12);
    assert!((epsilon(2, 3) - (0.3 + 12f64.ln())).abs() < 1e-12);
    assert!(epsilon(1, 1) > epsilon(2, 1));
    assert!(epsilon(1, 0) < 1e-300);
    assert_eq!(shares.charge_with(0, 1).unwrap_err(), NoiseError::NoParties);
}

/// The masses of the difference of two variables with masses `p`.
fn difference(p: &[f64]) -> Vec<f64> {
    (0..p.len()).map(|x| (0..p.len() - x).map(|j| p[j] * p[j + x]).sum()).collect()
}

#[test]
fn the_price_of_part_of_the_laplace_noise_covers_its_law() {
    for (scale, beta) in [(2.0f64, 0.5), (2.0, 0.1), (0.5, 0.75), (5.0, 0.25)] {
        let r = (-1.0 / scale).exp();
        let mut masses = vec![(1.0 - r).powf(beta)];
        for k in 1..400 {
            let last = masses[k - 1];
            masses.push(last * r * (beta + k as f64 - 1.0) / k as f64);
        }
        let law = difference(&masses);
        for distance in 1..5usize {
            // Largest log ratio of masses so far apart, on both sides of 0.
            let at = |x: i64| law[x.unsigned_abs() as usize];
            let worst =
                (-60..60i64).map(|x| (at(x) / at(x + distance as i64)).ln()).fold(0.0f64, f64::max);
            let priced = distance as f64 / scale + (distance as f64 / beta).ln();
            assert!(worst <= priced + 1e-9, "{scale} {beta} {distance}: {worst} > {priced}");
        }
    }
}

/// The Rényi divergence between a symmetric law and its shift.
fn renyi(law: &[f64], distance: i64, order: f64) -> f64 {
    let at = |x: i64| law.get(x.unsigned_abs() as usize).copied().unwrap_or(0.0);
    let end = law.len() as i64 - distance - 1;
    let sum: f64 = (-end..=end)
        .map(|x| (at(x), at(x - distance)))
        .filter(|(p, q)| *p > 1e-250 && *q > 1e-250)
        .map(|(p, q)| (order * p.ln() + (1.0 - order) * q.ln()).exp())
        .sum();
    sum.ln() / (order - 1.0)
}

#[test]
fn skellam_prices_cover_the_divergence_of_the_law() {
    for variance in [1u64, 4, 20] {
        let mean = variance as f64 / 2.0;
        let mut poisson = vec![(-mean).exp()];
        for k in 1..160 {
            poisson.push(poisson[k - 1] * mean / k as f64);
        }
        let law = difference(&poisson);
        for distance in 1..4 {
            for order in [2u64, 3, 5, 8] {
                let steps = Amount::from_integer(distance);
                let priced = skellam_epsilon(order, &steps, &ratio(variance, 1)).to_f64_up();
                let truth = renyi(&law[..120], distance as i64, order as f64);
                assert!(truth <= priced, "{variance} {distance} {order}: {truth} > {priced}");
                assert!(priced < 6.0 * truth + 1.0);
            }
        }
    }
}

#[test]
fn gaussian_prices_cover_the_divergence_of_the_sum() {
    for share in [ratio(1, 2), ratio(1, 1), ratio(3, 1)] {
        let s = over(&Amount::from_integer(1), &share.recip()).to_f64_up();
        let width = 60i64;
        let mut one: Vec<f64> =
            (-width..=width).map(|x| (-((x * x) as f64) / (2.0 * s)).exp()).collect();
        let total: f64 = one.iter().sum();
        one.iter_mut().for_each(|p| *p /= total);
        let mut law = one.clone();
        for parties in 2..5u32 {
            let n = law.len();
            let mut next = vec![0.0; n + one.len() - 1];
            for (i, a) in law.iter().enumerate() {
                for (j, b) in one.iter().enumerate() {
                    next[i + j] += a * b;
                }
            }
            law = next;
            let half = law[law.len() / 2..].to_vec();
            let shares = NoiseShares::gaussian(&share * ratio(parties.into(), 1), parties).unwrap();
            for distance in [1u64, 2] {
                let charge = shares.charge_with(parties, distance).unwrap();
                let rho = charge.in_zcdp().unwrap().rho.to_f64_up();
                for order in [1.5, 2.0, 6.0, 16.0] {
                    let truth = renyi(&half[..30], distance as i64, order);
                    assert!(truth <= order * rho * (1.0 + 1e-9), "{s} {parties} {order}");
                }
            }
        }
    }
    let small = NoiseShares::gaussian(ratio(1, 1), 5).unwrap_err();
    assert_eq!(small, NoiseError::ShareTooSmall);
}
