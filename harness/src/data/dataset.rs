//! Samples with labels, and three sets of them: to train, to choose by, and to test once.

use super::error::DataError;
use super::form::{Form, Target};
use super::scale::Scale;
use crate::descent::Samples;

/// Samples with labels. The number of inputs is samples x features, that of labels samples x answers, and every label
/// says what the target allows.
///
/// ```
/// use isobath::data::{Dataset, Form, Target};
///
/// // Three samples of two numbers, in two classes.
/// let inputs = vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
/// let data = Dataset::new("mine", Form::Vector(2), 2, inputs.clone(), vec![0, 1, 1])?;
/// assert_eq!((data.name(), data.len(), data.features(), data.classes()), ("mine", 3, 2, 2));
/// assert_eq!((data.form(), data.target()), (Form::Vector(2), Target::Classes(2)));
/// assert_eq!((data.inputs(), data.labels()), (&inputs[..], &[0, 1, 1][..]));
/// assert!(!data.is_empty());
///
/// let error = Dataset::new("mine", Form::Vector(2), 2, inputs, vec![0, 1, 2]).unwrap_err();
/// assert_eq!(error.to_string(), "mine: labels: found 2 of sample 2, allowed is 0 to 1");
/// # Ok::<(), isobath::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    name: String,
    form: Form,
    target: Target,
    inputs: Vec<f32>,
    labels: Vec<u32>,
}

impl Dataset {
    /// A data set of row-major inputs, one sample per label.
    ///
    /// # Errors
    /// Where there are no features, fewer than two classes, too many or too few inputs, an input that is
    /// not finite, or a label that is not below `classes`.
    pub fn new(
        name: &str,
        form: Form,
        classes: usize,
        inputs: Vec<f32>,
        labels: Vec<u32>,
    ) -> Result<Self, DataError> {
        Self::with_target(name, form, Target::Classes(classes), inputs, labels)
    }

    /// A data set of row-major inputs, as many labels per sample as the form has answers.
    ///
    /// # Errors
    /// Where there are no features or answers, fewer than two classes, too many or too few inputs, an input or a number
    /// to be met that is not finite, or a label that is not below the number of classes.
    ///
    /// ```
    /// use isobath::data::{Dataset, Form, Target};
    ///
    /// // A number to be met per sample, by its bits.
    /// let labels = vec![0.5_f32.to_bits(), (-2.0_f32).to_bits()];
    /// let data = Dataset::with_target("sums", 1.into(), Target::Number, vec![0.1, 0.2], labels)?;
    /// assert_eq!((data.len(), data.classes()), (2, 1));
    ///
    /// // Two labels per sample are asked for.
    /// let form = Form::Sequence { steps: 2, features: 1, answers: 2 };
    /// let odd = Dataset::with_target("steps", form, Target::Classes(3), vec![0.0; 4], vec![0, 1, 2]);
    /// assert_eq!(odd.unwrap_err().to_string(), "steps: labels: found 3, allowed is 2 per sample");
    /// # Ok::<(), isobath::data::DataError>(())
    /// ```
    pub fn with_target(
        name: &str,
        form: Form,
        target: Target,
        inputs: Vec<f32>,
        labels: Vec<u32>,
    ) -> Result<Self, DataError> {
        let (features, answers) = (form.features(), form.answers());
        if answers == 0 {
            return Err(DataError::value(name, "answers", "0", "at least 1"));
        }
        if features == 0 {
            return Err(DataError::value(name, "features", "0", "at least 1"));
        }
        if let Target::Classes(classes) = target
            && classes < 2
        {
            return Err(DataError::value(name, "classes", classes.to_string(), "at least 2"));
        }
        let samples = labels.len() / answers;
        if !labels.len().is_multiple_of(answers) {
            let allowed = format!("{answers} per sample");
            return Err(DataError::value(name, "labels", labels.len().to_string(), allowed));
        }
        if samples.checked_mul(features) != Some(inputs.len()) {
            let allowed = format!("{samples} labels x {features} features");
            return Err(DataError::value(name, "inputs", inputs.len().to_string(), allowed));
        }
        if let Some(i) = inputs.iter().position(|x| !x.is_finite()) {
            let found = format!("{} in sample {}", inputs[i], i / features);
            return Err(DataError::value(name, "inputs", found, "finite numbers"));
        }
        match target {
            Target::Classes(classes) => {
                if let Some(i) = labels.iter().position(|&label| label as usize >= classes) {
                    let found = format!("{} of sample {}", labels[i], i / answers);
                    return Err(DataError::value(name, "labels", found, format!("0 to {}", classes - 1)));
                }
            }
            Target::Number => {
                if let Some(i) = labels.iter().position(|&label| !f32::from_bits(label).is_finite()) {
                    let found = format!("{} of sample {}", f32::from_bits(labels[i]), i / answers);
                    return Err(DataError::value(name, "labels", found, "finite numbers"));
                }
            }
        }
        Ok(Self { name: name.into(), form, target, inputs, labels })
    }

    /// What the data is called in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Numbers per sample.
    pub fn features(&self) -> usize {
        self.form.features()
    }

    /// What a sample is.
    pub fn form(&self) -> Form {
        self.form
    }

    /// What a label says.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Labels are below this; 1 where they are numbers.
    pub fn classes(&self) -> usize {
        self.target.outputs()
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.labels.len() / self.form.answers()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All inputs, row-major: one row of [`features`](Self::features) per sample.
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// The labels, sample by sample: one of each, unless the form has more answers.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Inputs and labels, as a run takes them.
    ///
    /// ```
    /// use isobath::data::{Dataset, Form};
    ///
    /// let data = Dataset::new("mine", Form::Vector(2), 2, vec![0.1, 0.2, 0.3, 0.4], vec![0, 1])?;
    /// let samples = data.samples();
    /// assert_eq!((samples.inputs, samples.labels), (data.inputs(), data.labels()));
    /// # Ok::<(), isobath::data::DataError>(())
    /// ```
    pub fn samples(&self) -> Samples<'_> {
        Samples { inputs: &self.inputs, labels: &self.labels }
    }
}

/// Three data sets without a common sample, on one scale.
///
/// ```
/// use isobath::data::{DataError, Dataset, Form, Scale, Splits};
///
/// let set = |inputs: &[f32]| -> Result<Dataset, DataError> {
///     Dataset::new("mine", Form::Vector(1), 2, inputs.to_vec(), vec![0; inputs.len()])
/// };
/// // The training part has mean 4 and deviation 2.
/// let splits = Splits::standardised(set(&[2.0, 6.0])?, set(&[4.0])?, set(&[10.0])?)?;
/// assert_eq!(splits.scale, Scale { mean: 4.0, deviation: 2.0 });
/// assert_eq!(splits.train.inputs(), [-1.0, 1.0]);
/// assert_eq!((splits.validation.inputs()[0], splits.test.inputs()[0]), (0.0, 3.0));
///
/// let error = Splits::standardised(set(&[5.0, 5.0])?, set(&[])?, set(&[])?).unwrap_err();
/// let message = "mine: training inputs: found 5 everywhere, allowed is at least two different values";
/// assert_eq!(error.to_string(), message);
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Splits {
    /// For the optimiser.
    pub train: Dataset,
    /// For choosing rates, remedies and when to stop.
    pub validation: Dataset,
    /// For the figures that are reported.
    pub test: Dataset,
    /// The centre and the scale that were taken off all three.
    pub scale: Scale,
}

impl Splits {
    /// Brings three sets onto the scale of the training part.
    ///
    /// # Errors
    /// Where the training part is empty or all its inputs are equal, or where an input of another part is too
    /// far away for f32 on its scale.
    pub fn standardised(train: Dataset, validation: Dataset, test: Dataset) -> Result<Self, DataError> {
        let Some(scale) = Scale::of(&train.inputs) else {
            let found = match train.inputs.first() {
                Some(value) => format!("{value} everywhere"),
                None => "nothing".into(),
            };
            return Err(DataError::value(
                &train.name,
                "training inputs",
                found,
                "at least two different values",
            ));
        };
        let mut splits = Self { train, validation, test, scale };
        for set in [&mut splits.train, &mut splits.validation, &mut splits.test] {
            scale.apply(&mut set.inputs);
            if set.inputs.iter().any(|x| !x.is_finite()) {
                let found = "a value beyond f32 once scaled";
                let allowed =
                    format!("values comparable to the training part's deviation, {:e}", scale.deviation);
                return Err(DataError::value(&set.name, "inputs", found, allowed));
            }
        }
        Ok(splits)
    }

    /// Three sets that are left as they are.
    ///
    /// # Errors
    /// Where the training part is empty.
    pub(super) fn as_made(train: Dataset, validation: Dataset, test: Dataset) -> Result<Self, DataError> {
        if train.is_empty() {
            return Err(DataError::value(&train.name, "training samples", "none", "at least 1"));
        }
        Ok(Self { train, validation, test, scale: Scale { mean: 0.0, deviation: 1.0 } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(inputs: &[f32]) -> Dataset {
        Dataset::new("d", Form::Vector(1), 2, inputs.to_vec(), vec![0; inputs.len()]).unwrap()
    }

    fn message(result: Result<Dataset, DataError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn what_makes_no_data_set_is_refused() {
        let new = |features, classes, inputs: &[f32], labels: &[u32]| {
            Dataset::new("d", Form::Vector(features), classes, inputs.to_vec(), labels.to_vec())
        };
        assert_eq!(message(new(0, 2, &[], &[])), "d: features: found 0, allowed is at least 1");
        assert_eq!(message(new(1, 1, &[], &[])), "d: classes: found 1, allowed is at least 2");
        assert_eq!(
            message(new(2, 2, &[1.0; 5], &[0; 3])),
            "d: inputs: found 5, allowed is 3 labels x 2 features"
        );
        assert_eq!(
            message(new(2, 2, &[0.0, 1.0, 2.0, f32::NAN], &[0, 1])),
            "d: inputs: found NaN in sample 1, allowed is finite numbers"
        );
        assert_eq!(
            message(new(1, 3, &[0.0, 1.0], &[2, 3])),
            "d: labels: found 3 of sample 1, allowed is 0 to 2"
        );
    }

    #[test]
    fn several_labels_and_numbers_are_checked_too() {
        let form = |answers| Form::Sequence { steps: 2, features: 1, answers };
        let new = |answers, target, labels: &[u32]| {
            Dataset::with_target("d", form(answers), target, vec![0.5; 4], labels.to_vec())
        };
        let classes = Target::Classes(3);
        let two = new(2, classes, &[0, 1, 2, 0]).unwrap();
        assert_eq!((two.len(), two.classes(), two.labels().len()), (2, 3, 4));
        assert_eq!(message(new(0, classes, &[])), "d: answers: found 0, allowed is at least 1");
        assert_eq!(message(new(2, classes, &[0; 3])), "d: labels: found 3, allowed is 2 per sample");
        let labels = [0, 1, 2, 3];
        assert_eq!(message(new(2, classes, &labels)), "d: labels: found 3 of sample 1, allowed is 0 to 2");
        let numbers = new(1, Target::Number, &[(-0.5_f32).to_bits(), 7.25_f32.to_bits()]).unwrap();
        assert_eq!((numbers.len(), numbers.classes()), (2, 1));
        let infinite = new(1, Target::Number, &[0, f32::INFINITY.to_bits()]);
        assert_eq!(message(infinite), "d: labels: found inf of sample 1, allowed is finite numbers");
    }

    #[test]
    fn all_splits_are_scaled_by_the_training_part() {
        let splits = Splits::standardised(set(&[1.0, 3.0]), set(&[5.0]), set(&[2.0, 0.0])).unwrap();
        assert_eq!(splits.train.inputs(), [-1.0, 1.0]);
        assert_eq!(splits.validation.inputs(), [3.0]);
        assert_eq!(splits.test.inputs(), [0.0, -2.0]);
        assert_eq!(splits.scale, Scale { mean: 2.0, deviation: 1.0 });
    }

    #[test]
    fn training_inputs_without_spread_are_refused() {
        let message = |train| Splits::standardised(set(train), set(&[]), set(&[])).unwrap_err().to_string();
        assert_eq!(
            message(&[4.0; 3]),
            "d: training inputs: found 4 everywhere, allowed is at least two different values"
        );
        assert!(message(&[]).contains("found nothing"));
    }

    #[test]
    fn inputs_that_leave_f32_when_scaled_are_refused() {
        assert_eq!(
            Splits::standardised(set(&[-0.25, 0.25]), set(&[]), set(&[3.0e38])).unwrap_err().to_string(),
            "d: inputs: found a value beyond f32 once scaled, \
             allowed is values comparable to the training part's deviation, 2.5e-1"
        );
    }
}
