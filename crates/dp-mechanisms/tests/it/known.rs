//! The laws of the noise against known answers.

use dp_mechanisms::noise::{DiscreteGaussian, DiscreteLaplace};
use num_bigint::BigUint;
use num_rational::Ratio;
use privacy_testing::known_answers;

fn integer(value: f64) -> Ratio<BigUint> {
    Ratio::from_integer((value as u64).into())
}

#[test]
fn laws_agree_with_known_answers() {
    for answer in known_answers::parse(include_str!("known/noise.txt")) {
        let laplace = || DiscreteLaplace::new(integer(answer.number("scale"))).unwrap();
        let computed = match answer.name.as_str() {
            "laplace_upper_tail" => laplace().tail(answer.number("m") as u128 - 1) / 2.0,
            "laplace_variance" => laplace().variance(),
            "laplace_half_width" => laplace().half_width(0.05).unwrap() as f64,
            "gaussian_half_width" => {
                let sigma = integer(answer.number("sigma"));
                DiscreteGaussian::new(&sigma * &sigma).unwrap().half_width(0.05).unwrap() as f64
            }
            name => panic!("no check for {name}"),
        };
        answer.check(computed);
    }
}
