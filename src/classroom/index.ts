/** Assignments for a class: the function that their tests call. What releases and grades them is behind `npm run assignment`. */
export { check, type CheckOptions, type Expected, type Verdict } from "./check";
